"""The answers as people read them."""

from datetime import datetime
from decimal import Decimal
from functools import singledispatch
from typing import Any, Protocol

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from lotstream.recall.answers import (
    Affected,
    Answer,
    Balance,
    HistoryAnswer,
    HoldScope,
    Locations,
    Lot,
    Lots,
    Stock,
    Where,
)
from lotstream.schemas.identifiers import split_lot_key

_UNIT = {"KGM": "kg", "LTR": "l", "MTR": "m", "GRM": "g", "H87": "pieces"}


def amount(value: Decimal, uom: str) -> str:
    """'12.5 kg': without trailing zeros, with the unit people know."""
    if not uom:
        return ""
    return f"{value.normalize():f} {_UNIT.get(uom, uom)}"


def instant(at: datetime | None) -> str:
    """UTC to the second."""
    return at.strftime("%Y-%m-%d %H:%M:%SZ") if at else ""


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


class Plain(Table):
    """A table whose cells are what somebody wrote: a bracket in them is a bracket."""

    def add_row(self, *cells: object, **how: Any) -> None:
        """Text is taken as it is."""
        super().add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells), **how)  # type: ignore[arg-type]


def table(title: str, *columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table without lines; columns of ``right`` hold numbers."""
    made = Plain(title=title, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def _place(location: str, name: str, disposition: str) -> str:
    shown = f"{name} ({location})" if name and name != location else location
    return f"{shown}, {disposition.replace('_', ' ')}" if disposition else shown


@singledispatch
def show(answer: Answer, out: Console) -> None:
    """Print an answer."""
    raise TypeError(f"Expected a known answer, got {type(answer).__name__}.")


class Timed(Protocol):
    """An answer that can be of another time than now."""

    @property
    def as_of(self) -> datetime | None:
        """By what had happened by then."""

    @property
    def known_at(self) -> datetime | None:
        """As known at that instant."""


def when_line(out: Console, answer: Timed) -> None:
    """Of when an answer is, where it is not of now."""
    if answer.as_of is not None:
        out.print(f"As of {instant(answer.as_of)}")
    if answer.known_at is not None:
        out.print(f"As known at {instant(answer.known_at)}")


def lot_line(out: Console, lot: Lot) -> None:
    """Which lot it is, and what must be known before anything else."""
    words = [f"[bold]{escape(lot.code)}[/bold] of {lot.gtin}"]
    words += [escape(lot.description)] if lot.description else []
    words += [f"expires {lot.expires}"] if lot.expires else []
    words += [f"made at {escape(lot.location)}"] if lot.location else []
    out.print("Lot " + ", ".join(words))
    if lot.status != "active":
        held = [
            f"{hold_words(hold.scope)} since {instant(hold.since)} by {hold.by}: {hold.reason}" for hold in lot.holds
        ]
        out.print(f"[bold red]{lot.status.upper()}[/bold red] " + escape("; ".join(held)), soft_wrap=True)


def hold_words(scope: HoldScope) -> str:
    """What of a lot is held, in words."""
    if scope.serials:
        ranges = [f"{first}..{last}" if first != last else str(first) for first, last in scope.serials]
        return f"serials {', '.join(ranges)}"
    if scope.units:
        return ", ".join(scope.units[:5]) + (f" and {len(scope.units) - 5} more" if len(scope.units) > 5 else "")
    if scope.amount is not None:
        return amount(scope.amount, scope.uom)
    return f"at {scope.site}" if scope.site else "all of it"


@show.register
def _(answer: Affected, out: Console) -> None:
    when_line(out, answer)
    lot_line(out, answer.lot)
    _where_now(answer, out)
    received = table(
        "Who received some", "party", "document", "line", "items", "amount", "since", right=("items", "amount")
    )
    for r in answer.recipients:
        received.add_row(r.party, r.document, r.line, _count(r.items), amount(r.amount, r.uom), instant(r.first_at))
    if answer.recipients:
        out.print(received)
    for document, others in dict.fromkeys((r.document, r.linked) for r in answer.recipients if r.linked):
        out.print(f"  {document} belongs with {', '.join(others)}", markup=False, soft_wrap=True)
    show_accounted(answer, out)
    blind = f"{len(answer.blind_windows)} blind windows could hide more" if answer.blind_windows else "no blind windows"
    out.print(f"Evidence: {', '.join(answer.evidence) or 'none'}; {blind}. Answered in {answer.milliseconds:.1f} ms.")
    if answer.when_asked:
        out.print(f"{answer.when_asked:,} units were sighted outside the rows of this lot, and placed when asked.")
    for window in answer.blind_windows[:10]:
        out.print(
            f"  {window.subject}: {window.cause} {instant(window.from_at)} to {instant(window.until_at) or 'now'}"
        )


def show_accounted(answer: Affected | Balance, out: Console) -> None:
    """What became of what was made, the terms that are nothing everywhere left out; what is missing; the counts."""
    lines = [(_UNIT.get(a.uom, a.uom), a) for a in answer.accounted]
    if isinstance(answer, Balance) and answer.together is not None:
        lines.append((f"together, {_UNIT.get(answer.together.uom, answer.together.uom)}", answer.together))
    terms = [term for term in _TERMS if term in _ALWAYS or any(getattr(a, term) for _, a in lines)]
    heads = [term.replace("_", " ") for term in terms]
    sums = table("Accounted for", "of", *heads, "accounted", right=(*heads, "accounted"))
    for name, a in lines:
        values = (_number(getattr(a, term)) for term in terms)
        sums.add_row(name, *values, "" if a.percent is None else f"{a.percent:f} %")
    out.print(sums)
    for a in answer.accounted:
        for one in a.missing:
            where = ", ".join(word for word in (one.location or "nobody said where", one.disposition) if word)
            out.print(f"  unexplained: {amount(one.amount, a.uom)} {where}", markup=False)
    for count in answer.adjustments:
        out.print(
            f"  counted {instant(count.at)} at {count.location}: {amount(count.counted, count.uom)}, booked"
            f" {amount(count.booked, count.uom)}{' (opening)' if count.opening else ''} {count.document}".rstrip()
        )


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


_TERMS = ("made", "on_hand", "in_transit", "shipped", "consumed", "destroyed", "adjusted", "unexplained")
_ALWAYS = ("made", "on_hand", "in_transit", "shipped", "unexplained")


def _where_now(answer: Affected, out: Console) -> None:
    places = table(
        "Where it was" if answer.as_of else "Where it is now",
        "location",
        "items",
        "cases",
        "amount",
        "in",
        "evidence",
        "newest",
        right=("items", "cases", "amount", "in"),
    )
    for p in answer.places:
        inside = f"{p.logistic} units" if p.logistic else ""
        places.add_row(
            _place(p.location, p.name, p.disposition),
            _count(p.items),
            "",
            "",
            inside,
            ", ".join(p.evidence),
            instant(p.newest),
        )
    for q in answer.quantities:
        places.add_row(
            _place(q.location, q.name, q.disposition),
            "",
            _count(q.cases),
            amount(q.amount, q.uom),
            "",
            ", ".join(q.evidence),
            instant(q.newest),
        )
    out.print(places)


@show.register
def _(answer: Where, out: Console) -> None:
    when_line(out, answer)
    lot_line(out, answer.lot)
    units = table("", "unit", "location", "evidence", "read point", "last seen", "inside")
    for u in answer.units:
        units.add_row(
            u.tag,
            _place(u.location, "", u.disposition),
            f"{u.evidence}, placed when asked" if u.when_asked else u.evidence,
            u.read_point,
            instant(u.last_at),
            " < ".join(reversed(u.path)),
        )
    for q in answer.quantities:
        units.add_row(
            f"{amount(q.amount, q.uom)} in {q.cases} cases",
            _place(q.location, q.name, q.disposition),
            ", ".join(q.evidence),
            "",
            instant(q.newest),
            "",
        )
    out.print(units)
    more = "; there are more: raise --limit" if answer.truncated else ""
    out.print(f"{len(answer.units):,} units{more}. Answered in {answer.milliseconds:.1f} ms.")


@show.register
def _(answer: HistoryAnswer, out: Console) -> None:
    when_line(out, answer)
    codes = ", ".join(split_lot_key(lot)[1] for lot in answer.lots)
    out.print(f"Unit [bold]{answer.tag}[/bold]" + (f" of lot {escape(codes)}" if codes else ", of no known lot"))
    rows = table(
        "",
        "first",
        "last",
        "read point",
        "location",
        "direction",
        "evidence",
        "reads",
        "what",
        "document",
        right=("reads",),
    )
    for s in answer.sightings:
        evidence = s.evidence if not s.path else f"{s.evidence} in {s.path[0]}"
        document = " ".join(filter(None, (s.document, s.line, s.party)))
        rows.add_row(
            instant(s.first_at),
            instant(s.last_at),
            s.read_point,
            _place(s.location, "", s.disposition),
            s.direction,
            evidence,
            _count(s.reads),
            s.biz_step or s.state,
            document,
        )
    out.print(rows)
    out.print(f"{len(answer.sightings):,} sightings. Answered in {answer.milliseconds:.1f} ms.")


@show.register
def _(answer: Stock, out: Console) -> None:
    when_line(out, answer)
    rows = table(
        "", "lot", "product", "expires", "location", "items", "cases", "amount", right=("items", "cases", "amount")
    )
    for r in answer.rows:
        rows.add_row(
            r.code,
            r.description or r.gtin,
            str(r.expires or ""),
            _place(r.location, "", r.disposition),
            _count(r.items),
            _count(r.cases),
            amount(r.amount, r.uom),
        )
    out.print(rows)
    out.print(f"{len(answer.rows):,} rows. Answered in {answer.milliseconds:.1f} ms.")


@show.register
def _(answer: Lots, out: Console) -> None:
    rows = table(
        "", "lot", "GTIN", "product", "made", "expires", "units", "amount", "status", right=("units", "amount")
    )
    for lot in answer.lots:
        rows.add_row(
            lot.code,
            lot.gtin,
            lot.description,
            instant(lot.produced_at),
            str(lot.expires or ""),
            _count(lot.units or 0),
            amount(lot.amount or Decimal(0), lot.uom),
            lot.status,
        )
    out.print(rows)
    out.print(f"{len(answer.lots):,} lots. Answered in {answer.milliseconds:.1f} ms.")


@show.register
def _(answer: Locations, out: Console) -> None:
    rows = table("", "location", "name", "kind", "site", "GLN", "time zone")
    for place in answer.locations:
        rows.add_row(place.id, place.name, place.kind, place.site, place.gln, place.time_zone)
    out.print(rows)
