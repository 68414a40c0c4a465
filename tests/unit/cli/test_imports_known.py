"""A file against what is known of its lines: new, unchanged, corrected, gone, and back again."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from lotstream.cli.imports_known import Known, Plan, plan_of
from lotstream.readers.imports.events import event_of
from lotstream.readers.imports.kinds import Kind
from lotstream.readers.imports.lines import Line
from lotstream.schemas.epcis import parse_document

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
KEY = "01/09506000134352/10/A"
LINE = Line(
    row=2,
    kind=Kind.SHIPMENTS,
    gtin="09506000134352",
    code="A",
    lot=f"https://id.gs1.org/{KEY}",
    at=NOW,
    document="urn:lotstream:bt:7",
    document_type="desadv",
    line="10",
    amounts=((Decimal(5), "KGM"),),
    location="https://id.gs1.org/414/0614141000012",
    party="urn:lotstream:party:C",
)


def amount(value: int, **said: Any) -> Line:
    """The line with another amount."""
    return replace(LINE, amounts=((Decimal(value), "KGM"),), **said)


class Ledger:
    """What a history knows after events were sent to it."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str, str], list[Known]] = {}

    def bring(self, *lines: Line, complete: bool = False) -> Plan:
        """Plan a file and send it."""
        plan = plan_of(lines, self.known, complete=complete, at=NOW)
        for parsed in parse_document(b"[" + b",".join(plan.events) + b"]"):
            assert parsed.rejected is None, parsed.rejected
            fields = parsed.fields
            name = f"desadv:{fields['documents'][0].id}", fields["document_line"], KEY
            said = self.known.setdefault(name, [])
            if fields["error"] is not None:
                said[:] = [replace(one, wrong=one.wrong or one.event == parsed.event_hash) for one in said]
            else:
                said.append(Known(name, parsed.event_hash, parsed.text, fields["line_revision"], False))
        return plan

    def standing(self) -> dict[str, tuple[int, int]]:
        """line -> (amount, revision) of what was not declared wrong; one for each line."""
        found: dict[str, tuple[int, int]] = {}
        for said in self.known.values():
            for one in (each for each in said if not each.wrong):
                assert one.name[1] not in found
                found[one.name[1]] = orjson.loads(one.text)["quantityList"][0]["quantity"], one.revision
        return found


def test_a_line_is_said_once_and_corrected() -> None:
    """Again is nothing; another amount is the next revision, with the one before declared wrong; back is one more."""
    ledger = Ledger()
    assert (len(ledger.bring(LINE).events), ledger.bring(LINE).unchanged) == (1, 1)
    plan = ledger.bring(amount(6))
    assert (len(plan.events), plan.corrected, ledger.standing()) == (2, 1, {"10": (6, 1)})
    wrong = orjson.loads(plan.events[1])["errorDeclaration"]
    assert (wrong["reason"], wrong["correctiveEventIDs"]) == (
        "incorrect_data",
        [parse_document(plan.events[0])[0].event_hash],
    )
    ledger.bring(LINE)
    assert ledger.standing() == {"10": (5, 2)}


def test_a_complete_file_removes_what_it_lacks() -> None:
    """Only a file that says so removes a line; the line may come back."""
    ledger, second = Ledger(), amount(9, line="20")
    ledger.bring(LINE, second)
    assert ledger.bring(LINE).retracted == 0
    plan = ledger.bring(LINE, complete=True)
    assert (plan.retracted, orjson.loads(plan.events[0])["errorDeclaration"]["reason"]) == (1, "did_not_occur")
    assert ledger.standing() == {"10": (5, 0)}
    assert ledger.bring(LINE, complete=True).retracted == 0
    ledger.bring(LINE, second)
    assert ledger.standing() == {"10": (5, 0), "20": (9, 1)}


def test_two_who_said_a_line_at_once_are_put_right() -> None:
    """Where two files crossed, the next one leaves one event standing."""
    ledger = Ledger()
    ledger.bring(LINE)
    (said,) = ledger.known.values()
    (parsed,) = parse_document(event_of(amount(7)))
    said.append(Known(said[0].name, parsed.event_hash, parsed.text, 0, False))
    assert ledger.bring(LINE).unchanged == 1
    assert ledger.standing() == {"10": (5, 0)}
