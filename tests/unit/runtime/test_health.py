"""Health of a process, asked over its real port."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from lotstream.runtime.health import Health, HealthServer
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import MetricsSettings


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def health(hand: Hand) -> Health:
    return Health("kafka", "recovered", stale_after_s=5.0, monotonic=hand)


@pytest.fixture
def server(health: Health) -> Iterator[HealthServer]:
    server = HealthServer(MetricsSettings(), health=health, metrics=Metrics())
    server.start()
    yield server
    server.close()


def get(url: str, token: str | None = None) -> tuple[int, bytes]:
    request = Request(url, headers={} if token is None else {"Authorization": f"Bearer {token}"})
    try:
        with urlopen(request, timeout=5) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def test_ready_only_when_every_check_passes(server: HealthServer, health: Health) -> None:
    """A process is not ready before each expected check was set, and says which one is missing."""
    status, body = get(f"{server.url}/readyz")
    assert (status, json.loads(body)["checks"]["kafka"]) == (503, {"ok": False, "detail": "Not yet."})
    health.set("kafka", True, "3 brokers")
    assert get(f"{server.url}/readyz")[0] == 503
    health.set("recovered", True)
    assert get(f"{server.url}/readyz")[0] == 200
    health.set("kafka", False, "Expected a broker, got none.")
    status, body = get(f"{server.url}/readyz")
    assert (status, json.loads(body)["checks"]["kafka"]["detail"]) == (503, "Expected a broker, got none.")


def test_alive_while_the_loop_beats(server: HealthServer, health: Health, hand: Hand) -> None:
    """A loop that stopped beating makes the process neither alive nor ready; a beat brings it back."""
    health.set("kafka", True)
    health.set("recovered", True)
    hand.now = 5.0
    assert get(f"{server.url}/healthz")[0] == 200
    hand.now = 5.1
    assert (get(f"{server.url}/healthz")[0], get(f"{server.url}/readyz")[0]) == (503, 503)
    health.beat()
    assert (get(f"{server.url}/healthz")[0], get(f"{server.url}/readyz")[0]) == (200, 200)


def test_metrics_are_served(server: HealthServer) -> None:
    """/metrics is Prometheus' text and carries readiness and beat; other paths are not there."""
    status, body = get(f"{server.url}/metrics")
    assert status == 200
    assert b"lotstream_ready_state 0.0" in body and b"lotstream_beat_age_seconds 0.0" in body
    assert get(f"{server.url}/other")[0] == 404


def test_token_guards_metrics_and_details(health: Health, tmp_path: Path) -> None:
    """With a token, a stranger learns up or down and nothing else."""
    file = tmp_path / "token"
    file.write_text("open-sesame\n")
    server = HealthServer(MetricsSettings(token_file=file), health=health, metrics=Metrics())
    server.start()
    try:
        assert get(f"{server.url}/metrics")[0] == 401
        assert get(f"{server.url}/metrics", "wrong")[0] == 401
        assert get(f"{server.url}/readyz") == (503, b"{}")
        assert get(f"{server.url}/healthz") == (200, b"{}")
        assert get(f"{server.url}/metrics", "open-sesame")[0] == 200
        assert b"recovered" in get(f"{server.url}/readyz", "open-sesame")[1]
    finally:
        server.close()


def test_free_port_is_picked_and_a_taken_one_is_an_error(server: HealthServer, health: Health) -> None:
    """Port 0 takes a free one and tells it; a port in use raises instead of sharing it."""
    assert server.port != 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=5):
        pass
    with pytest.raises(OSError):
        HealthServer(MetricsSettings(port=server.port), health=health, metrics=Metrics())


def test_close_frees_the_port_also_when_never_started(health: Health) -> None:
    """Closing is safe in any state and leaves no listener."""
    server = HealthServer(MetricsSettings(), health=health, metrics=Metrics())
    server.close()
    again = HealthServer(MetricsSettings(port=server.port), health=health, metrics=Metrics())
    again.close()
