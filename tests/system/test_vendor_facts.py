"""What the published EPCIS events say is in the history as facts: places, lots, contents, amounts, documents.

The expectation is derived here from each event's own JSON, with no word of the product. The documents lie beside the
project; without them these tests are skipped.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

pytestmark = [pytest.mark.system, pytest.mark.usefixtures("shared_data")]

OUTGOING = {"shipping", "departing"}
PARTIES = ("location", "possessing_party", "owning_party")


@dataclass(frozen=True)
class Event:
    """One event by its hash, and what follows from it; wrong when an error was declared of it."""

    hash: str
    wrong: bool
    value: dict[str, Any]

    def tags(self) -> set[str]:
        """Units that the event names and places itself."""
        names = ["epcList", "inputEPCList", "outputEPCList"]
        if self.value.get("action") != "ADD":
            names.append("childEPCs")
        found = {key_of(uri) for name in names for uri in self.value.get(name) or ()}
        return found | {key_of(uri) for uri in (self.value.get("parentID"),) if uri}

    def placed(self) -> tuple[str, str]:
        """(read point, location afterwards); '' where it says none."""
        at, here = (key_of(self.value.get(name, {}).get("id", "")) for name in ("readPoint", "bizLocation"))
        there = next(
            (
                key_of(party["destination"])
                for kind in PARTIES
                for party in self.value.get("destinationList", ())
                if _word(party.get("type", "")) == kind
            ),
            "",
        )
        location = there if _word(self.value.get("bizStep", "")) in OUTGOING else here or at or there
        return at or here or location, location

    @property
    def begins(self) -> bool:
        kind = self.value["type"]
        return kind == "TransformationEvent" or (kind == "ObjectEvent" and self.value["action"] == "ADD")

    @property
    def lot(self) -> str:
        """The lot code of the event's master data."""
        return str(self.value.get("ilmd", {}).get("cbvmda:lotNumber", "")) if self.begins else ""

    def lot_units(self) -> Iterator[tuple[str, str]]:
        """(unit, lot that it is bound to; '' when its life ends)."""
        ended = self.value["type"] == "ObjectEvent" and self.value["action"] == "DELETE"
        name = "outputEPCList" if self.value["type"] == "TransformationEvent" else "epcList"
        for tag in map(key_of, self.value.get(name) or ()):
            if tag.startswith("01/") and (ended or self.lot):
                yield tag, "" if ended else f"{tag[:17]}/10/{self.lot}"

    def amounts(self) -> Iterator[tuple[str, str, bool, Decimal]]:
        """(lot, unit of measure, whether it is gone afterwards, amount) of the class-level goods that an event places,
        makes or uses up."""
        if self.value["type"] == "AggregationEvent":
            yield from ((lot, uom, False, amount) for lot, uom, amount in self.packed())
            return
        made = {"TransformationEvent": "outputQuantityList"}.get(self.value["type"], "quantityList")
        if not (self.placed()[0] or self.begins or self.value.get("action") == "DELETE"):
            return
        for name in (made, "inputQuantityList"):
            for one in self.value.get(name, ()):
                lot = key_of(one["epcClass"])
                if name == made and self.lot and len(lot) == 17:
                    lot = f"{lot}/10/{self.lot}"
                if lot[17:21] == "/10/" and "quantity" in one:
                    gone = name == "inputQuantityList" or self.value.get("action") == "DELETE"
                    yield lot, one.get("uom", "H87"), gone, Decimal(str(one["quantity"]))

    def packed(self) -> Iterator[tuple[str, str, Decimal]]:
        """(lot, unit of measure, amount) of the class-level goods that go into a unit, or out of it somewhere."""
        packs = self.value.get("action") == "ADD" or (self.value.get("action") == "DELETE" and self.placed()[0])
        if self.value["type"] == "AggregationEvent" and self.value.get("parentID") and packs:
            for one in self.value.get("childQuantityList", ()):
                lot = key_of(one["epcClass"])
                if lot[17:21] == "/10/" and "quantity" in one:
                    yield lot, one.get("uom", "H87"), Decimal(str(one["quantity"]))

    def portions(self) -> set[tuple[str, str, str]]:
        """(portion, lot, unit that holds it) of the lots that the event packs."""
        if self.value.get("action") != "ADD":
            return set()
        unit = key_of(self.value.get("parentID") or "")
        return {(f"02/{lot[3:]}/{unit}", lot, unit) for lot, _, _ in self.packed()}

    def lots_begun(self) -> set[str]:
        """Lots that the event brings into being."""
        if not self.begins:
            return set()
        return {lot for _, lot in self.lot_units()} | {lot for lot, _, gone, _ in self.amounts() if not gone}

    def documents(self) -> set[str]:
        """'type:identifier' of the business documents that the event names."""
        return {
            f"{_word(one.get('type', ''))}:{one['bizTransaction']}" for one in self.value.get("bizTransactionList", ())
        }


def _word(uri: str) -> str:
    """The bare word of CBV, however it is spelled."""
    return re.sub(r"^(urn:epcglobal:cbv:[a-z]+:|https://ref\.gs1\.org/cbv/[A-Za-z]+-|cbv:(BizStep|BTT|SDT)-)", "", uri)


LINK = re.compile(r"https?://[^/]+/((?:01|00|253|414|417|8003(?=/0)|8004|8017|8018)/[^?#]+)")


def key_of(uri: str) -> str:
    """The key of what an EPC URN or a Digital Link names, for the schemes in the files; another URI as it is.

    A GRAI begins with 0: what has its form and another digit there is a web address like any other.
    """
    link = LINK.fullmatch(uri)
    if link:
        return link[1]
    if "/8003/" in uri:
        return f"uri/{quote(uri, safe='')}"
    if not uri.startswith("urn:epc:"):
        return uri
    _, _, _, scheme, value = uri.split(":", 4)
    company, reference, *more = value.split(".", 2)
    serial = "".join(more)
    whole = company + reference
    match scheme:
        case "sgtin" | "lgtin":
            gtin = checked(reference[0] + company + reference[1:])
            part = "" if serial == "*" else f"/{'21' if scheme == 'sgtin' else '10'}/{serial}"
            return f"01/{gtin}{part}"
        case "sscc":
            return f"00/{checked(reference[0] + company + reference[1:])}"
        case "sgln" | "pgln":
            return f"{'414' if scheme == 'sgln' else '417'}/{checked(whole)}" + (
                f"/254/{serial}" if serial not in ("", "0") else ""
            )
        case "grai":
            return f"8003/0{checked(whole)}{serial}"
        case "giai":
            return f"8004/{whole}"
        case "gdti":
            return f"253/{checked(whole)}{serial}"
        case "gsrn" | "gsrnp":
            return f"{'8018' if scheme == 'gsrn' else '8017'}/{checked(whole)}"
    raise AssertionError(uri)


def checked(digits: str) -> str:
    """With the check digit of GS1."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(digits)))
    return f"{digits}{-total % 10}"


@pytest.fixture(scope="module")
def events(stack: Any, shared_data: Path) -> list[Event]:
    """Every published event as the history keeps it, and its facts worked off."""
    for folder in ("json", "openepcis_valid"):
        for path in sorted((shared_data / "epcis" / folder).rglob("*.json*")):
            source = f"file:{quote(path.name)}"
            stack.post("/epcis/capture", path.read_bytes(), source=source, GS1_Capture_Error_Behaviour="proceed")
    stack.settle()
    kept = stack.rows("SELECT event, error, text FROM events FINAL WHERE startsWith(source, 'file:')")
    wrong = {name for name, error, _ in kept if error}
    return [Event(name, name in wrong, json.loads(text)) for name, _, text in kept]


def test_there_are_events(events: list[Event]) -> None:
    """All five kinds of event and error declarations are among them."""
    assert len({event.hash for event in events}) >= 81
    assert len({event.value["type"] for event in events}) == 5
    assert any(event.wrong for event in events)


def test_declared_sightings(stack: Any, events: list[Event]) -> None:
    """An event that places units is a sighting of each at its place; retracted where a copy of it declares an error."""
    wanted = {
        (event.hash, tag, *event.placed(), stack.micros(event.value["eventTime"]), event.wrong)
        for event in events
        if event.placed()[0] and event.value["type"] != "AssociationEvent"
        for tag in event.tags()
    }
    found = stack.rows(
        """SELECT event, tag, toString(read_point), toString(location), toUnixTimestamp64Micro(first_at), retracted
           FROM (SELECT *, bitTest(marks, 3) AS retracted FROM sightings WHERE event != '' AND origin = ''
                 ORDER BY version DESC LIMIT 1 BY tag, read_point, slot, lane)
           WHERE event IN {events:Array(String)}""",
        events=hashes(events),
    )
    assert len(found) == len(set(found)) == len(wanted)
    assert set(found) == wanted


def test_bindings_and_lots(stack: Any, events: list[Event]) -> None:
    """Units of a lot, contents of a parent, and the lots themselves are what the events say."""
    units = {(tag, lot, event.hash) for event in events for tag, lot in event.lot_units()}
    inside = {
        (key_of(child), key_of(event.value["parentID"]), event.value["action"], event.hash)
        for event in events
        if event.value["type"] == "AggregationEvent" and event.value["action"] != "OBSERVE"
        for child in event.value.get("childEPCs", ())
    }
    units |= {(portion, lot, event.hash) for event in events for portion, lot, _ in event.portions()}
    inside |= {(portion, unit, "ADD", event.hash) for event in events for portion, _, unit in event.portions()}
    begun = {(event.hash, lot) for event in events for lot in event.lots_begun()}
    mine = {"events": hashes(events)}
    found_units: set[tuple[str, str, str]] = set()
    for subject, first, last, lot, said in stack.rows(
        """SELECT subject, first_serial, last_serial, object, event FROM bindings
           WHERE relation = 'lot' AND event IN {events:Array(String)}""",
        **mine,
    ):
        tags = [subject] if first < 0 else [f"{subject}/21/{serial}" for serial in range(first, last + 1)]
        found_units |= {(tag, lot, said) for tag in tags}
    assert found_units == units
    parents = """SELECT subject, object, toString(action), event FROM bindings
                 WHERE relation = 'parent' AND event IN {events:Array(String)}"""
    assert set(stack.rows(parents, **mine)) == inside
    lots = "SELECT event, toString(lot) FROM lots WHERE event IN {events:Array(String)}"
    assert set(stack.rows(lots, **mine)) == begun


def test_quantities_and_documents(stack: Any, events: list[Event]) -> None:
    """Amounts of lots that an event places, and the documents that it names, are facts with its hash."""
    amounts: dict[tuple[str, str, str, bool], Decimal] = {}
    documents = set()
    for event in {event.hash: event for event in events}.values():
        documents |= {(event.hash, name) for name in event.documents()}
        for lot, uom, gone, amount in event.amounts():
            key = (event.hash, lot, uom, gone)
            amounts[key] = amounts.get(key, Decimal(0)) + amount
    mine = {"events": hashes(events)}
    found = stack.rows(
        """SELECT DISTINCT event, toString(lot), toString(uom), location = '', amount, identity FROM quantities
           WHERE event IN {events:Array(String)}""",
        **mine,
    )
    assert {row[:4]: row[4] for row in found} == amounts
    assert len({(lot, identity) for _, lot, _, _, _, identity in found}) == len(found) == len(amounts)
    lines = "SELECT event, document FROM document_lines WHERE event IN {events:Array(String)}"
    assert set(stack.rows(lines, **mine)) == documents


def hashes(events: list[Event]) -> list[str]:
    return sorted({event.hash for event in events})
