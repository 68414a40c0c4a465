"""The health check of a container."""

import json
from pathlib import Path

import pytest

from lotstream.deploy import ready
from lotstream.runtime.health import Health, HealthServer
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.sections import MetricsSettings


@pytest.fixture
def health(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Health":
    """The health of a process that serves it and has published its address as `worker`."""
    monkeypatch.setenv("LOTSTREAM_RUN_DIR", str(tmp_path))
    return Health("smooth")


def serve(health: Health, tmp_path: Path) -> HealthServer:
    server = HealthServer(MetricsSettings(), health=health, metrics=Metrics())
    server.start()
    # as a container does that listens at every address
    url = server.url.replace("127.0.0.1", "0.0.0.0")
    (tmp_path / "worker.json").write_text(json.dumps({"pid": 1, "url": url}))
    return server


def test_ready_is_zero(health: Health, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A process whose checks pass is ready, one whose checks fail is not, and the check that fails is told."""
    server = serve(health, tmp_path)
    try:
        assert ready.main(["worker"]) == 1
        assert '"smooth"' in capsys.readouterr().out
        health.set("smooth", ok=True)
        assert ready.main(["worker"]) == 0
    finally:
        server.close()


def test_nothing_there_is_one(health: Health, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A process that has published nothing, or does not answer any more, is not ready."""
    assert ready.main(["worker"]) == 1
    assert "Expected worker.json" in capsys.readouterr().out
    serve(health, tmp_path).close()
    assert ready.main(["worker"]) == 1
    assert "Expected an answer" in capsys.readouterr().out


def test_one_name_is_expected(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a name the check says which there are."""
    assert ready.main([]) == 2
    assert "gateway, worker or sink" in capsys.readouterr().err
