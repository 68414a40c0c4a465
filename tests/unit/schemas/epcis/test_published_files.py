"""Every EPCIS document beside the project: what its schema takes is taken, what it refuses is refused, and why not."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from lotstream.runtime.errors import Rejected
from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.epcis import parse_document, to_trace_event
from lotstream.schemas.events import EVENTS
from lotstream.schemas.identifiers import tag_key

STAMP = Stamp(received_us=1, origin=Origin.FILE, source="files", request="r1")
CHECK_DIGIT = "GRAI with a wrong check digit, which JSON Schema cannot see: a wrong check digit is an error, always"

# file: (whether lotstream takes all of it, why it differs from the schema)
EXCEPTIONS: dict[str, tuple[bool, str]] = {
    "json/WithEventHashID/event_with_identical_hash_id_7.json": (
        True,
        "words as URNs of CBV 1.2, which the schema refuses and every reader of CBV knows",
    ),
    "openepcis_valid/Capture/Documents/Combination_of_different_event.json": (False, CHECK_DIGIT),
    "openepcis_valid/Query/Combination_of_different_event.json": (False, CHECK_DIGIT),
    "openepcis_valid/Query/queryDocument.json": (False, CHECK_DIGIT),
}


def files(folder: Path) -> list[Path]:
    return sorted(path for name in ("json", "openepcis_valid") for path in (folder / name).rglob("*.json*"))


@pytest.fixture(scope="module")
def epcis(shared_data: Path) -> Path:
    return shared_data / "epcis"


@pytest.fixture(scope="module")
def schema(epcis: Path) -> Draft7Validator:
    return Draft7Validator(json.loads((epcis / "schema/EPCIS-JSON-Schema.json").read_bytes()))


def refusals(payload: bytes) -> list[Rejected]:
    """What is wrong with a document or its events; every taken event is checked to be a record of events.v1."""
    try:
        events = parse_document(payload)
    except Rejected as rejected:
        return [rejected]
    for event in events:
        if event.rejected is None:
            record = to_trace_event(event, stamp=STAMP)
            assert EVENTS.validate_json(record.encode()) == record
            (alone,) = parse_document(record.text.encode())
            assert alone.fields == event.fields
    return [event.rejected for event in events if event.rejected is not None]


def test_every_file(epcis: Path, schema: Draft7Validator) -> None:
    """Valid files are taken whole, invalid ones refused with a reason; the exceptions are these and no others."""
    found: dict[str, bool] = {}
    paths = files(epcis)
    for path in paths:
        payload = path.read_bytes()
        wrong = refusals(payload)
        assert all(rejected.detail.startswith("Expected ") for rejected in wrong)
        if (not wrong) != schema.is_valid(json.loads(payload)):
            found[str(path.relative_to(epcis))] = not wrong
    assert len(paths) >= 99
    assert found == {name: taken for name, (taken, _) in EXCEPTIONS.items()}


def test_neighbours_of_a_wrong_event(epcis: Path) -> None:
    """Of a document with one wrong event the others are understood."""
    payload = (epcis / "openepcis_valid/Capture/Documents/Combination_of_different_event.json").read_bytes()
    events = parse_document(payload)
    assert [event.rejected is None for event in events].count(False) == 1
    (wrong,) = [event.rejected for event in events if event.rejected is not None]
    assert wrong.field == "epcList.0"


def test_every_event_in_digital_links(epcis: Path) -> None:
    """Each published event, its EPC URNs rewritten as Digital Links of some shop, is the same event."""
    rewritten = 0
    for path in files(epcis):
        if str(path.relative_to(epcis)) in EXCEPTIONS or "SimpleEventQuery" in path.name:
            continue
        document = json.loads(path.read_bytes())
        linked = _linked(document)
        rewritten += linked != document
        before, after = (parse_document(json.dumps(one).encode()) for one in (document, linked))
        assert [event.event_hash for event in before] == [event.event_hash for event in after], path
        assert [event.rejected is None for event in before] == [event.rejected is None for event in after], path
    assert rewritten > 70


def _linked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: item if name == "eventID" else _linked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_linked(item) for item in value]
    if isinstance(value, str) and value.startswith(("urn:epc:id:", "urn:epc:class:", "urn:epc:idpat:")):
        key = tag_key(value)
        return value if key.startswith("hex/") else f"https://shop.example/some/{key}?linkType=all"
    return value
