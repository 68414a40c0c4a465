"""Mass balance of production: in + rework = out + waste + adjusted + unexplained, in each unit. Pure.

What was lost of a lot that was made is no longer in what came out; what was lost of another went in to be lost.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from lotstream.recall.answers import Verdict
from lotstream.recall.conservation import ITEMS
from lotstream.recall.edges import Link
from lotstream.recall.mass_answer import MassEntry, MassLine
from lotstream.recall.together import in_base

Row = dict[str, Any]
_NONE, _CENT = Decimal(0), Decimal("0.01")
_PIECES = "H87"  # UN/CEFACT Rec 20: what a conversion calls one serialised item
_LOSSES = {"destroyed": "waste", "adjusted": "adjustment"}


class Flow(NamedTuple):
    """So much of a lot in one role, as it was told and converted."""

    role: str
    lot: str
    amount: Decimal
    uom: str
    converted: Decimal
    base: str
    process: str
    event: str
    at: datetime


@dataclass(slots=True)
class _Line:
    taken: Decimal = _NONE
    out: Decimal = _NONE
    roles: dict[str, Decimal] = field(
        default_factory=lambda: dict.fromkeys(("rework", "waste", "adjustment", "output"), _NONE)
    )


def flows(links: Iterable[Link], losses: Iterable[Row], *, rates: Mapping[str, Sequence[Row]]) -> tuple[Flow, ...]:
    """Everything that went in, came out or was lost, in order of time; ``rates`` are conversions by GTIN."""
    links = list(links)
    made = {product_of(link.node) for link in links if link.output}
    found = [
        _flow(role, link.node, amount, uom, said=(link.process, link.event, link.at), rates=rates)
        for link in links
        for role in ["output" if link.output else "rework" if product_of(link.node) in made else "input"]
        for amount, uom in _amounts(link)
    ]
    for row in losses:
        amount = row["amount"] if row["source"] or row["effect"] == "destroyed" else -row["amount"]
        said = "", row["event"], row["at"]
        found.append(_flow(_LOSSES[row["effect"]], row["lot"], amount, row["uom"], said=said, rates=rates))
    return tuple(sorted(found, key=lambda flow: (flow.at, flow.role, flow.lot, flow.event, flow.uom)))


def lines(found: Iterable[Flow], *, tolerance: Decimal | None) -> tuple[MassLine, ...]:
    """The balance in each unit."""
    found = list(found)
    made = {flow.lot for flow in found if flow.role == "output"}
    sums: dict[str, _Line] = {}
    for flow in found:
        line = sums.setdefault(flow.base, _Line())
        if flow.role == "input":
            line.taken += flow.converted
            continue
        line.roles[flow.role] += flow.converted
        if flow.role in _LOSSES.values() and flow.lot not in made:
            line.taken += flow.converted
        elif flow.role != "rework":
            line.out += flow.converted if flow.role == "output" else -flow.converted
    return tuple(_told(uom, line, tolerance) for uom, line in sorted(sums.items()))


def entries(found: Sequence[Flow], names: Mapping[str, str]) -> tuple[MassEntry, ...]:
    """Every flow, with its percentage of what went in."""
    into: dict[str, Decimal] = {}
    for line in lines(found, tolerance=None):
        into[line.uom] = line.taken + line.rework
    return tuple(
        MassEntry(
            role=flow.role,
            lot=flow.lot, description=names.get(flow.lot, ""), amount=flow.amount, uom=flow.uom,
            converted=flow.converted, converted_uom=flow.base, percent=_percent(flow.converted, into[flow.base]),
            process=flow.process, event=flow.event, at=flow.at,
        )
        for flow in found
    )  # fmt: skip


def product_of(node: str) -> str:
    """The class of a lot or a unit: 01/{gtin14}; of others the key itself."""
    return node[:17] if node.startswith("01/") else node


def _told(uom: str, line: _Line, tolerance: Decimal | None) -> MassLine:
    into = line.taken + line.roles["rework"]
    compared = into > 0 and line.roles["output"] > 0
    unexplained = into - line.out - line.roles["waste"] - line.roles["adjustment"] if compared else None
    percent = None if unexplained is None else _percent(unexplained, into)
    return MassLine(
        uom=uom,
        taken=line.taken,
        rework=line.roles["rework"],
        out=line.out,
        waste=line.roles["waste"],
        adjusted=line.roles["adjustment"],
        unexplained=unexplained,
        percent=percent,
        verdict=verdict_of(unexplained, into, tolerance),
    )


def verdict_of(unexplained: Decimal | None, into: Decimal, tolerance: Decimal | None) -> Verdict:
    """Whether what nobody explained is within a percentage of what went in, either way."""
    if unexplained is None or tolerance is None:
        return ""
    return "within" if abs(unexplained) * 100 <= tolerance * into else "outside"


def _percent(amount: Decimal, of: Decimal) -> Decimal | None:
    return (amount * 100 / of).quantize(_CENT) if of > 0 else None


def _amounts(link: Link) -> Iterator[tuple[Decimal, str]]:
    if link.items:
        yield Decimal(link.items), ITEMS
    if link.amount is not None and link.uom:
        yield link.amount, link.uom


def _flow(
    role: str,
    lot: str,
    amount: Decimal,
    uom: str,
    *,
    said: tuple[str, str, datetime],
    rates: Mapping[str, Sequence[Row]],
) -> Flow:
    """A flow, converted as far as the conversions of its product lead; items that do not convert stay items."""
    told = _PIECES if uom == ITEMS else uom
    base = in_base({"amount": amount, "uom": told, "at": said[2]}, rates.get(product_of(lot)[3:], ()))
    unchanged = uom == ITEMS and base["uom"] == _PIECES
    return Flow(role, lot, amount, uom, base["amount"], ITEMS if unchanged else base["uom"], *said)
