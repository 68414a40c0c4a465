"""The doctor's findings on this machine."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from lotstream.cli import checks_here
from lotstream.cli.checks_kafka import groups
from lotstream.cli.doctor import show
from lotstream.cli.findings import Finding, State, bad
from lotstream.cli.main import lotstream as program
from lotstream.runtime.health import Health, HealthServer
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import Settings, load_settings
from lotstream.schemas.topics import TOPICS


def settings(tmp_path: Path, **env: str) -> Settings:
    return load_settings(None, {"LOTSTREAM_RUN_DIR": str(tmp_path / "run"), **env})


def test_wrong_settings_are_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that cannot be loaded end in exit 1 with the key and what to do, not in a stack trace."""
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(program, ["doctor", "--json"], env={"LOTSTREAM_KAFKA__BOOTSTRAP": "nowhere"})
    said = json.loads(ran.output)
    assert ran.exit_code == 1 and said["ok"] is False
    (only,) = said["checks"]
    assert only["check"] == "settings" and "kafka.bootstrap" in only["detail"] and only["action"]


def test_unreadable_secrets_are_named_and_not_shown(tmp_path: Path) -> None:
    """The file at fault is named; without its secrets nothing is asked of brokers and history."""
    found = checks_here.secrets_finding(settings(tmp_path, LOTSTREAM_CLICKHOUSE__PASSWORD_FILE=str(tmp_path / "no")))
    assert found.state is State.FAIL and str(tmp_path / "no") in found.detail
    good = tmp_path / "yes"
    good.write_text("s3cret\n")
    found = checks_here.secrets_finding(settings(tmp_path, LOTSTREAM_CLICKHOUSE__PASSWORD_FILE=str(good)))
    assert found.state is State.OK and "s3cret" not in found.model_dump_json()


def test_a_site_file_is_read_whole(tmp_path: Path) -> None:
    """None is a warning, a wrong one fails with what is wrong in it, a right one is counted."""
    assert checks_here.site_finding(settings(tmp_path)).state is State.WARN
    file = tmp_path / "site.toml"
    env = {"LOTSTREAM_GATEWAY__SITE_FILE": str(file)}
    file.write_text('[[locations]]\nname = "no id"\n')
    wrong = checks_here.site_finding(settings(tmp_path, **env))
    assert wrong.state is State.FAIL and "locations.0.id" in wrong.detail
    file.write_text('[[locations]]\nid = "hall"\n[[read_points]]\nid = "dock"\ninside = "hall"\n')
    right = checks_here.site_finding(settings(tmp_path, **env))
    assert right.state is State.OK and "1 read points at 1 locations" in right.detail


def test_a_site_file_that_contradicts_itself_fails(tmp_path: Path) -> None:
    """A read point at a location that is nowhere described is found."""
    file = tmp_path / "site.toml"
    file.write_text('[[read_points]]\nid = "dock"\ninside = "hall"\n')
    found = checks_here.site_finding(settings(tmp_path, LOTSTREAM_GATEWAY__SITE_FILE=str(file)))
    assert found.state is State.FAIL and "hall" in found.detail


def test_processes_are_asked_whether_they_are_ready(tmp_path: Path) -> None:
    """One that runs is asked with the token; one that is not there is skipped, or fails when a stack is up."""
    token = tmp_path / "token"
    token.write_text("t0ken\n")
    own = settings(tmp_path, LOTSTREAM_METRICS__TOKEN_FILE=str(token))
    own.run_dir.mkdir()
    health = Health("smooth")
    server = HealthServer(own.metrics, health=health, metrics=Metrics())
    server.start()
    try:
        (own.run_dir / "worker.json").write_text(json.dumps({"pid": os.getpid(), "url": server.url}))
        states = {found.check: found for found in checks_here.process_findings(own)}
        assert states["process worker"].state is State.FAIL and "Not yet." in states["process worker"].detail
        assert states["process gateway"].state is State.SKIP
        health.set("smooth", True, "2 partitions")
        (own.run_dir / "stack.json").write_text(json.dumps({"pid": os.getpid()}))
        states = {found.check: found for found in checks_here.process_findings(own)}
        assert states["process worker"].state is State.OK and "2 partitions" in states["process worker"].detail
        assert states["process gateway"].state is State.FAIL
        assert "t0ken" not in str(states)
    finally:
        server.close()


@pytest.mark.parametrize(("free_gib", "state"), [(0.5, State.FAIL), (3, State.WARN), (50, State.OK)])
def test_disk_is_told_before_it_is_full(
    free_gib: float, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Little room warns, hardly any fails; a data directory that is not there yet counts as its parent."""
    usage = (0, 0, int(free_gib * checks_here.GIB))
    monkeypatch.setattr(checks_here.shutil, "disk_usage", lambda _: type("Usage", (), {"free": usage[2]}))
    own = settings(tmp_path, LOTSTREAM_DATA_DIR=str(tmp_path / "not" / "yet"))
    assert checks_here.disk_finding(own).state is state


def test_missing_jars_are_counted(tmp_path: Path) -> None:
    """Jars that are not there yet are a warning with the way to have them."""
    found = {finding.check: finding for finding in checks_here.embedded_findings(tmp_path)}
    if not checks_here.has_extra():
        pytest.skip("the extra is not installed")
    assert found["embedded jars"].state is State.WARN and found["embedded jars"].detail.startswith("0 of ")


def test_groups_are_those_of_the_table(tmp_path: Path) -> None:
    """Every stage and sink has its group with its source topics, under the prefixes of the settings."""
    own = settings(tmp_path, LOTSTREAM_TOPICS__PREFIX="plant7.")
    found = groups(own)
    assert found["lotstream.plant7.smooth"] == ("plant7.reads.v1",)
    assert set(found["lotstream.plant7.resolve"]) == {"plant7.sightings.v1", "plant7.identity.v1"}
    read = {topic.name for topic in TOPICS if topic.kept and set(topic.readers) - {"anyone"}}
    assert {topic.removeprefix("plant7.") for topics in found.values() for topic in topics} == read


def test_a_finding_is_shown_with_what_to_do() -> None:
    """Text of others is printed as it is, brackets and all."""
    out = Console(record=True, width=200, highlight=False)
    show(bad("kafka", "[bold] is no markup", action="start [it]"), out)
    said = out.export_text()
    assert "fail kafka" in said and "[bold] is no markup" in said and "do: start [it]" in said


def test_findings_are_frozen() -> None:
    """A finding cannot be changed afterwards."""
    found = Finding(check="a", state=State.OK, detail="b")
    with pytest.raises(ValueError, match="frozen"):
        found.detail = "c"  # type: ignore[misc]
