"""lotstream epcis: check and hash."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lotstream.cli.exits import EXIT_NO, exit_code
from lotstream.cli.main import lotstream as program
from lotstream.schemas.epcis import event_hash

GOOD: dict[str, Any] = {
    "@context": "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    "type": "ObjectEvent",
    "eventTime": "2026-01-01T00:00:00Z",
    "eventTimeZoneOffset": "+00:00",
    "action": "OBSERVE",
    "epcList": ["urn:epc:id:sgtin:0614141.107346.1"],
}
BAD = GOOD | {"bizStep": "shipped", "disposition": "lost"}


def run(*arguments: str, given: str | None = None) -> Result:
    return CliRunner().invoke(program, ["epcis", *arguments], input=given)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(GOOD))
    bad.write_text(json.dumps([GOOD, BAD]))
    return str(good), str(bad)


def test_check_says_yes(files: tuple[str, str]) -> None:
    """A valid file, or standard input, is valid: exit 0."""
    for ran in (run("check", files[0]), run("check", "-", given=json.dumps(GOOD))):
        assert ran.exit_code == 0
        assert "valid, 1 events" in ran.output


def test_check_names_every_fault(files: tuple[str, str]) -> None:
    """Each fault with its place, its rule, expected and got; one bad file among good ones is exit 1."""
    ran = run("check", *files)
    assert ran.exit_code == EXIT_NO
    assert "2 faults, 2 events" in ran.output
    assert "/1/bizStep: expected a business step of CBV 2.0" in ran.output
    assert "disposition: CBV 2.0, section 7.2" in ran.output


def test_check_for_programs(files: tuple[str, str]) -> None:
    """--json gives every fault of every file in fields."""
    ran = run("check", "--json", *files)
    said = json.loads(ran.output)
    assert (ran.exit_code, said["ok"], [one["ok"] for one in said["files"]]) == (EXIT_NO, False, [True, False])
    first, second = said["files"][1]["faults"]
    assert (first["pointer"], first["rule"], first["got"]) == ("/1/bizStep", "biz_step", "'shipped'")
    assert (second["pointer"], second["section"]) == ("/1/disposition", "CBV 2.0, section 7.2 (dispositions)")


def test_ids_of_several_files(tmp_path: Path) -> None:
    """An event id that another file gave to other contents is flagged, and the files are valid."""
    for name, action in (("a", "ADD"), ("b", "DELETE")):
        (tmp_path / name).write_text(json.dumps(GOOD | {"eventID": "urn:uuid:1", "action": action}))
    ran = run("check", str(tmp_path / "a"), str(tmp_path / "b"))
    assert ran.exit_code == 0
    assert "event 0, event_id_reused" in ran.output


def test_hash(files: tuple[str, str]) -> None:
    """The ids of the events, one a line, in document order."""
    ran = run("hash", files[1])
    assert ran.exit_code == 0
    assert ran.output.splitlines() == [event_hash(GOOD), event_hash(BAD)]
    said = json.loads(run("hash", "--json", files[1]).output)
    assert [one["event_hash"] for one in said["events"]] == ran.output.splitlines()


def test_hash_of_what_is_no_event() -> None:
    """What is no event has an empty line in its place, and the command says no."""
    ran = run("hash", "-", given=json.dumps([5, GOOD]))
    assert ran.output.splitlines()[:2] == ["", event_hash(GOOD)]
    assert isinstance(ran.exception, Exception)
    assert exit_code(ran.exception) == EXIT_NO
