"""What `lotstream import` answers, for programs and for people."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console

from lotstream.cli.imports_known import Plan
from lotstream.cli.tables import amount, instant, table
from lotstream.readers.imports.check import Checked
from lotstream.readers.imports.ledger import ImportFact, Imports
from lotstream.readers.imports.lines import totals

_SHOWN = 50


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ImportFault(_Said):
    """A row that is not taken."""

    row: int = Field(description="as a spreadsheet numbers it")
    column: str
    expected: str
    got: str


class ImportFlag(_Said):
    """A row that is taken, or passed over, for a reason that a person should see."""

    row: int
    note: str


class ImportTotal(_Said):
    """The lines of a lot in one unit."""

    gtin: str
    lot: str
    uom: str
    amount: Decimal


class Imported(_Said):
    """`lotstream import FILE`: what the file holds and what became of it."""

    kind: Literal["import"] = "import"
    v: Literal[1] = 1
    file: str
    sha256: str
    what: str = Field(description="receipts, production, …")
    map: str
    rows: int
    passed_over: int = Field(description="rows of another kind, totals")
    lines: int = Field(description="rows that are right: business lines, or records of master data")
    faults: tuple[ImportFault, ...]
    flags: tuple[ImportFlag, ...]
    totals: tuple[ImportTotal, ...]
    sent: bool = Field(description="whether the file was brought in, not only checked")
    unchanged: int = Field(default=0, description="lines that are known so already: nothing is sent for them")
    corrected: int = Field(default=0, description="lines that are known otherwise")
    accepted: int = Field(default=0, description="events that the gateway took")
    rejected: int = Field(default=0, description="events that went to the dead letters")
    retracted: int = Field(
        default=0, description="lines of earlier files that a complete file lacks: declared wrong when it is sent"
    )


def answer_of(checked: Checked, plan: Plan, *, file: str, what: str, map_name: str) -> Imported:
    """The answer before anything is sent."""
    return Imported(
        file=file,
        sha256=checked.sha256,
        what=what,
        map=map_name,
        rows=checked.rows,
        passed_over=checked.passed_over,
        lines=len(checked.lines) + len(checked.records),
        faults=tuple(
            ImportFault(row=one.row, column=one.column, expected=one.expected, got=one.got) for one in checked.faults
        ),
        flags=tuple(ImportFlag(row=one.row, note=one.note) for one in checked.flags),
        totals=tuple(
            ImportTotal(gtin=gtin, lot=lot, uom=uom, amount=sum_)
            for (gtin, lot, uom), sum_ in totals(checked.lines).items()
        ),
        sent=False,
        unchanged=plan.unchanged,
        corrected=plan.corrected,
        retracted=plan.retracted,
    )


def show(answer: Imported, out: Console) -> None:
    """The answer for people."""
    if answer.faults:
        rows = table("Not taken", "row", "column", "expected", "got", right=("row",))
        for fault in answer.faults[:_SHOWN]:
            rows.add_row(str(fault.row), fault.column, fault.expected, fault.got)
        out.print(rows)
        _more(len(answer.faults), out)
    for flag in answer.flags[:_SHOWN]:
        out.print(f"  row {flag.row}: {flag.note}", markup=False)
    _more(len(answer.flags), out)
    if answer.totals:
        sums = table("Totals", "lot", "product", "amount", right=("amount",))
        for total in answer.totals[:_SHOWN]:
            sums.add_row(total.lot, total.gtin, amount(total.amount, total.uom))
        out.print(sums)
        _more(len(answer.totals), out)
    out.print(_last_line(answer), markup=False)


def _last_line(answer: Imported) -> str:
    counts = f"{answer.rows:,} rows: {answer.lines:,} lines, {len(answer.faults):,} wrong"
    counts += f", {answer.passed_over:,} passed over" if answer.passed_over else ""
    known = [
        (answer.unchanged, "unchanged"),
        (answer.corrected, "corrected"),
        (answer.retracted, "of earlier files not in it"),
    ]
    counts += "".join(f", {count:,} {word}" for count, word in known if count)
    if not answer.sent:
        return f"{answer.file}: {counts}; nothing sent"
    rejected = f", {answer.rejected:,} rejected (dead letters)" if answer.rejected else ""
    return f"{answer.file}: {counts}; {answer.accepted:,} events accepted{rejected}"


def show_list(found: Imports, out: Console) -> None:
    """The imports for people."""
    rows = table(
        "", "when", "who", "what", "file", "map", "rows", "events", "unchanged", "wrong", "sha256", right=_NUMBERS
    )
    for one in found.imports:
        rows.add_row(*_list_row(one))
    out.print(rows)


_NUMBERS = ("rows", "events", "unchanged", "wrong")


def _list_row(one: ImportFact) -> tuple[str, ...]:
    wrong = f"{one.faults + one.rejected:,}"
    counts = (f"{one.rows:,}", f"{one.accepted:,}", f"{one.unchanged:,}", wrong)
    return (instant(one.at), one.by, one.what, one.file, one.map, *counts, one.sha256[:12])


def _more(count: int, out: Console) -> None:
    if count > _SHOWN:
        out.print(f"  … and {count - _SHOWN:,} more (--json lists all)")
