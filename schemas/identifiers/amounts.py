"""Amounts and prices of element strings as exact decimals with their unit."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from lotstream.schemas.identifiers.measures import MEASURES, PIECE, Extent

SIX_PLACES = Decimal("0.000001")
_COUNTS = ("30", "37")
_LOCAL_PRICES = frozenset({"390", "392", "395"})
_CURRENCY_PRICES = frozenset({"391", "393"})


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure or count: `unit` is a UN/CEFACT Rec 20 code, `value` has six places."""

    ai: str
    value: Decimal
    unit: str
    extent: Extent


@dataclass(frozen=True, slots=True)
class Price:
    """An amount of money; `currency` is the ISO 4217 number, None where the label's own currency is meant."""

    ai: str
    value: Decimal
    currency: str | None


def read_measures(elements: Iterable[tuple[str, str]]) -> tuple[Measure, ...]:
    """Measures 31nn to 36nn and counts (30), (37), in the order of the elements."""
    found: list[Measure] = []
    for ai, value in elements:
        kind = MEASURES.get(ai[:3]) if len(ai) == 4 else None
        if kind is not None:
            amount = Decimal(value).scaleb(-int(ai[3]))
            found.append(Measure(ai, amount.quantize(SIX_PLACES), kind.unit, kind.extent))
        elif ai in _COUNTS:
            found.append(Measure(ai, Decimal(value).quantize(SIX_PLACES), PIECE, Extent.NET))
    return tuple(found)


def read_prices(elements: Iterable[tuple[str, str]]) -> tuple[Price, ...]:
    """Prices 390n to 393n and 395n, exact: up to fifteen digits with nine of them behind the point."""
    found: list[Price] = []
    for ai, value in elements:
        if ai[:3] in _CURRENCY_PRICES:
            found.append(Price(ai, Decimal(value[3:]).scaleb(-int(ai[3])), value[:3]))
        elif ai[:3] in _LOCAL_PRICES:
            found.append(Price(ai, Decimal(value).scaleb(-int(ai[3])), None))
    return tuple(found)


def principal_amount(measures: Iterable[Measure]) -> Measure | None:
    """How much there is: the first net weight, else the first net measure, else the count (30), else (37)."""
    net = [measure for measure in measures if measure.extent is Extent.NET]
    return min(net, key=_rank, default=None)


def _rank(measure: Measure) -> int:
    if measure.ai in _COUNTS:
        return 2 + _COUNTS.index(measure.ai)
    return 0 if MEASURES[measure.ai[:3]].title.startswith("NET WEIGHT") else 1
