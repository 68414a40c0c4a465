"""Whether a report of all lots of worlds side by side has exactly the figures that are true of each."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from lotstream.recall.report.ask import report_of
from lotstream.recall.report.model import Figure, ReportLot
from lotstream.recall.scope import ScopedLot
from lotstream.recall.store import History
from tests.recall_worlds.apart import named, number_of, plain
from tests.recall_worlds.oracle import Recalled
from tests.recall_worlds.report_oracle import CASES, ITEMS, KILOGRAMS, PALLETS, PARTS, Of, figures
from tests.worlds.world import World

_CENT = Decimal("0.01")
_TOLD = ("location", "disposition", "party", "document", "line", "process")
_NO_PLACE = ("sent", "used", "made_by")
Lines = dict[int, list[str]]


def report_faults(
    history: History, worlds: Sequence[World], truths: Sequence[Recalled], known: Mapping[str, Sequence[int]]
) -> Lines:
    """By number of a world, figures that are not the oracle's, or do not add up; ``known``: who has which lot."""
    lots = sorted(named(number, one) for one, numbers in known.items() for number in numbers)
    report = report_of(history, [ScopedLot(one, None, ()) for one in lots])
    told: dict[int, list[ReportLot]] = defaultdict(list)
    for lot in report.lots:
        told[number_of([lot.lot.lot])].append(lot)
    return {number: [*_unlike(world, truths[number], told[number])] for number, world in enumerate(worlds)}


def _unlike(world: World, truth: Recalled, lots: Sequence[ReportLot]) -> Iterator[str]:
    expected = figures(world, truth)
    got: tuple[dict[Of, int], dict[Of, int]] = {}, {}
    for one in (figure for lot in lots for figure in lot.figures):
        if one.value and not (one.total and one.measure in (PALLETS, CASES)):
            got[not one.total][_of(one)] = int(one.value)
    for what, table, other in zip(("total", "figure"), expected, got, strict=True):
        mine = {of: value for of, value in table.items() if of.measure in (ITEMS, KILOGRAMS, PALLETS, CASES)}
        yield from (
            f"{what}: Expected {value} of {of}, got {other.get(of, 0)}."
            for of, value in mine.items()
            if other.get(of) != value
        )
        yield from (f"{what}: Got {value} of {of}." for of, value in other.items() if of not in mine)
    for lot in lots:
        yield from _shares(lot)


def _of(one: Figure) -> Of:
    said = {name: plain(getattr(one, name)) for name in _TOLD}
    if one.term in _NO_PLACE:
        said |= {"location": "", "disposition": ""}
    return Of(plain(one.lot), str(one.term), one.measure, **said)


def _shares(lot: ReportLot) -> Iterator[str]:
    """Every percentage is of what was made, in the figure's own measure; the parts add up to what was made."""
    made = {one.measure: one.value for one in lot.figures if one.total and one.term == "made"}
    for one in lot.figures:
        of = made.get(one.measure, Decimal(0))
        wanted = ((one.value * 100 / of).quantize(_CENT), of, one.measure) if of > 0 else None
        got = None if one.share is None else (one.share.percent, one.share.of, one.share.measure)
        if got != wanted:
            yield f"share of {_of(one)}: Expected {wanted}, got {got}."
    for total in (True, False):
        for measure, value in made.items():
            parts = [
                one.value for one in lot.figures if one.total is total and one.term in PARTS and one.measure == measure
            ]
            if sum(parts) != value:
                yield f"{lot.lot.lot}, {measure}: Expected parts of {value}, got {sum(parts)}."
