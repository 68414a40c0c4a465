"""The door of decisions: what people decide becomes records of events.v1, all of a request or none."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from lotstream.schemas.events import EVENTS, DocumentSaid, HoldDecision, LotChange, LotClaim
from lotstream.schemas.partitions import partition_of

GTIN = "09521234543213"
LOT = f"01/{GTIN}/10/A-1"
SSCC_URI = "urn:epc:id:sscc:0614141.1234567890"
CLAIM = {"kind": "lot_claim", "claim": "c1", "gtin": "9521234543213", "template": "L{seq:03}", "by": "ann"}
HOLD = {"kind": "hold", "hold": "h1", "lot": LOT, "action": "place", "by": "ann", "reason": "glass"}
CHANGE = {"kind": "lot_change", "lot": LOT, "by": "ann", "expires": "2026-12-31"}

DOCUMENT = {
    "kind": "document",
    "type": "inv",
    "number": "I-1",
    "lines": [{"line": "1", "goods": "9521234543213", "amount": "2.5", "uom": "KGM"}, {"line": "2", "goods": LOT}],
    "references": [{"type": "desadv", "number": "D-1"}],
}


def post(door: Any, body: Any, **headers: str) -> httpx.Response:
    answer = asyncio.run(door.post("/decisions", body, **headers))
    assert isinstance(answer, httpx.Response)
    return answer


def records(door: Any) -> list[Any]:
    return [EVENTS.validate_json(message.value) for message in door.of("events.v1")]


def test_decisions_are_events(bench: Callable[..., Any]) -> None:
    """Each is in events.v1 under its GTIN or lot, stamped, its names as keys, when the answer comes."""
    door = bench()
    answer = post(door, [CLAIM, HOLD, CHANGE], Lotstream_Source="qa", X_Request_Id="r-1")
    assert answer.status_code == 201
    claim, hold, change = records(door)
    assert isinstance(claim, LotClaim)
    assert isinstance(hold, HoldDecision)
    assert isinstance(change, LotChange)
    assert claim.gtin == GTIN
    assert [each.subject for each in (claim, hold, change)] == [GTIN] * 3
    assert {each.stamp.source for each in (claim, hold, change)} == {"qa"}
    assert hold.at_us == change.at_us == door.clock.now
    partitions = {message.key.decode(): message.partition for message in door.of("events.v1")}
    assert partitions == {key: partition_of(key, 4) for key in partitions}
    said = answer.json()
    assert said["accepted"] == 3
    assert said["decisions"][0] == {"kind": "lot_claim", "claim": "c1", "gtin": GTIN}
    assert said["decisions"][1] == {"kind": "hold", "lot": LOT, "decision": hold.decision}


def test_a_document_is_an_event(bench: Callable[..., Any]) -> None:
    """A document goes by its name, its goods as keys of lots or classes, its date the arrival when it says none."""
    door = bench()
    answer = post(door, DOCUMENT)
    (said,) = records(door)
    assert isinstance(said, DocumentSaid)
    assert (said.subject, said.at_us) == ("inv:I-1", door.clock.now)
    assert [item.goods for item in said.lines] == [f"01/{GTIN}", LOT]
    assert answer.json()["decisions"] == [{"kind": "document", "document": "inv:I-1", "decision": said.decision}]


def test_a_decision_sent_again_is_the_same(bench: Callable[..., Any]) -> None:
    """Its hash follows from what was sent, not from when; other contents have another."""
    door = bench()
    post(door, HOLD)
    door.clock.now += 1_000_000
    post(door, HOLD)
    post(door, HOLD | {"reason": "metal"})
    first, second, third = (record.decision for record in records(door))
    assert first == second != third


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        (CLAIM | {"template": "L{sec:03}"}, "template", "{seq:0N}"),
        (CLAIM | {"template": "{site}{seq:03}"}, "site", "for the template"),
        (CLAIM | {"gtin": "9521234543214"}, "", "check digit"),
        (CLAIM | {"code": "X"}, "lot_claim", "a template or a code"),
        (CLAIM | {"template": "", "code": "ö"}, "", "got"),
        (CLAIM | {"planned": "5"}, "lot_claim", "unit of measure"),
        (HOLD | {"lot": "A-1"}, "", "got"),
        (HOLD | {"reason": ""}, "hold.reason", "at least 1 character"),
        (HOLD | {"scope": {"site": "x", "units": [f"01/{GTIN}/21/1"]}}, "hold.scope", "one of them"),
        (HOLD | {"scope": {"serials": [[5, 3]]}}, "hold.scope", "first <= last"),
        (HOLD | {"scope": {"units": ["00/095212345432100000"]}}, "", "check digit"),
        (HOLD | {"action": "keep"}, "hold.action", "place"),
        (HOLD | {"colour": "red"}, "hold.colour", "got"),
        (DOCUMENT | {"type": "letter"}, "document.type", "desadv"),
        (DOCUMENT | {"lines": [{"goods": LOT}, {"goods": LOT}]}, "document", "numbers of their own"),
        (DOCUMENT | {"issuer": "0614141000013"}, "", "check digit"),
        (DOCUMENT | {"lines": [{"goods": "A-1"}]}, "", "got"),
        ({"kind": "wish"}, "message", "kind"),
        ([], "", "1 to 1000 decisions"),
    ],
)
def test_what_is_wrong_is_said(bench: Callable[..., Any], body: Any, field: str, said: str) -> None:
    """A program's mistake is answered with its field, and nothing of the request is kept."""
    door = bench()
    answer = post(door, [HOLD, body] if body else body)
    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert said in answer.json()["detail"]
    assert records(door) == []


def test_no_json(bench: Callable[..., Any]) -> None:
    """A body that is no JSON is a mistake like any other."""
    assert post(bench(), b"{").json()["error"] == "json_invalid"


def recall(**deed: Any) -> dict[str, Any]:
    return {"kind": "recall", "case": "R-1", "by": "ann", "reason": "glass", "deed": deed}


def test_a_recall_is_an_event(bench: Callable[..., Any]) -> None:
    """All decisions of a case go by its name, to one partition; their names are keys."""
    door = bench()
    scope = recall(step="scope", include=[{"kind": "lot", "lot": LOT}], drop=[{"kind": "unit", "unit": SSCC_URI}])
    answer = post(door, [recall(step="open", mock=True), scope, recall(step="close", release=[LOT])])
    assert answer.status_code == 201, answer.text
    opened, said, closed = records(door)
    assert {(each.kind, each.subject) for each in (opened, said, closed)} == {("recall", "R-1")}
    assert len({message.partition for message in door.of("events.v1")}) == 1
    assert said.deed.drop[0].unit == "00/106141412345678908"
    assert answer.json()["decisions"][1] == {"kind": "recall", "case": "R-1", "decision": said.decision}


@pytest.mark.parametrize(
    "wrong",
    [
        recall(step="scope"),
        recall(step="later"),
        recall(step="scope", include=[{"kind": "lot", "lot": LOT, "serials": [[5, 1]]}]),
        recall(step="scope", include=[{"kind": "lot", "lot": "01/09521234543214/10/A"}]),
        recall(step="close", release=["A"]),
        recall(step="initiate") | {"case": "R/1"},
    ],
)
def test_a_recall_that_says_nothing_is_refused(bench: Callable[..., Any], wrong: dict[str, Any]) -> None:
    """A step without a word, of no kind, with serials backwards, with a key that is none, of a case with a bad name."""
    door = bench()
    assert post(door, wrong).status_code in (400, 422)
    assert door.of("events.v1") == []
