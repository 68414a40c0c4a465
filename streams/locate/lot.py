"""What locate knows of a lot as a whole: counts by location, quantities, statements. Counts are never stored."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import IntEnum
from typing import Any

from lotstream.schemas.base import Evidence, dump
from lotstream.schemas.documents import QuantityFact
from lotstream.schemas.lots import HoldRecord, LotRecord
from lotstream.schemas.movements import LotLocations, QuantityAt, UnitsAt
from lotstream.schemas.unit_lots import FOREVER
from lotstream.streams.locate.holds import Holds, hold_now, in_force, newest_hold, status_of
from lotstream.streams.locate.stock import Stock
from lotstream.streams.locate.unit import Entry, Word

_GRADES = (Evidence.CONFIRMED, Evidence.INFERRED, Evidence.DECLARED, Evidence.PROBABILISTIC)
_SEVERITY = {"active": 0, "held": 1, "recalled": 2}
_WORDS = (
    "description", "location", "produced_us", "expires", "best_before", "supplier_code", "site", "line", "planned",
    "planned_uom",
)  # fmt: skip

Row = tuple[str, str, int, bool]  # location, disposition, how, whether a logistic unit


class Source(IntEnum):
    """The topics that change a lot; each counts for itself in the revision."""

    SIGHTINGS = 0
    LOTS = 1
    DOCUMENTS = 2


@dataclass(slots=True)
class Lot:
    """One lot. ``offsets``: per source, the greatest offset that changed what is said of the lot.

    ``as_of_us`` is the newest sighting or fact that said where something is, as far as taken in: no part of the
    answer, and after a retraction it may be newer than what is left.
    """

    key: str
    counts: dict[Row, int] = field(default_factory=dict)
    stock: Stock = field(default_factory=Stock)
    carried: dict[str, tuple[str, str]] = field(default_factory=dict)  # logistic unit: location, disposition
    records: dict[str, LotRecord] = field(default_factory=dict)
    holds: Holds = field(default_factory=dict)
    offsets: list[int] = field(default_factory=lambda: [-1, -1, -1])
    as_of_us: int = 0
    exceeded: int = 0  # units of which an older sighting than those kept may be the newest
    guarded_us: int = FOREVER  # goods seen from then on are held, recalled or expired
    _merged: LotRecord | None = None

    @property
    def revision(self) -> int:
        """Rises with every message that changes the lot, and is the same after a replay: a sum of greatest offsets."""
        return sum(self.offsets) + 3

    def changed(self, source: Source, offset: int) -> None:
        """A message changed the lot."""
        if offset > self.offsets[source]:
            self.offsets[source] = offset

    def carry(self, unit: str, entry: Entry | None) -> None:
        """A logistic unit that holds class-level goods of the lot is where the entry of its portion says."""
        if entry is None:
            self.carried.pop(unit, None)
        else:
            self.carried[unit] = entry.word[1], entry.word[2]

    def count(self, word: Word, *, logistic: bool, by: int) -> None:
        """One unit more or less where a sighting's word places it."""
        bits, location, disposition, _ = word
        row = location, disposition, bits >> 4 & 3, logistic
        counts = self.counts
        number = counts.get(row, 0) + by
        if number:
            counts[row] = number
        else:
            del counts[row]

    def put_quantity(self, fact: QuantityFact) -> bool:
        """Keep a fact at its highest revision; a retraction stays. Whether that changes the lot."""
        if not self.stock.put(fact):
            return False
        self.as_of_us = max(self.as_of_us, fact.at_us)
        return True

    def put_record(self, record: LotRecord) -> bool:
        """Keep a statement at its newest version; a retraction stays. Whether that changes the lot."""
        known = self.records.get(record.event)
        record = record if known is None else newest_record(known, record)
        if record == known:
            return False
        self.records[record.event] = record
        self._merged = None
        return True

    @property
    def merged(self) -> LotRecord | None:
        """All statements as one."""
        if self._merged is None:
            self._merged = merged_record(self.records.values())
        return self._merged

    def put_hold(self, said: HoldRecord) -> bool:
        """Keep what was decided of a hold at its newest version; a release stays. Whether that changes the lot."""
        known = self.holds.get((said.hold, said.action))
        said = said if known is None else newest_hold(known, said)
        self.holds[said.hold, said.action] = said
        return said != known


def newest_record(one: LotRecord, other: LotRecord) -> LotRecord:
    """The version of a statement that holds: the newest, retracted when either is."""
    first, second = sorted((one, other), key=lambda record: (record.recorded_us, record.encode()))
    if first.retracted and not second.retracted:
        return second.model_copy(update={"retracted": True})
    return second


def locations_of(lot: Lot) -> LotLocations:
    """Where everything of the lot is, absolute."""
    return _around(lot, units=tuple([UnitsAt(**row) for row in _units(lot)]))


def encode_locations(lot: Lot) -> bytes:
    """The value of its message, as `locations_of` would be encoded. A lot is at a hundred places and told of several
    times a second: their rows are not made into models on the way."""
    said = _around(lot, units=()).model_dump(mode="json", exclude_none=True)
    return dump(said | {"units": list(_units(lot))})


def _around(lot: Lot, *, units: tuple[UnitsAt, ...]) -> LotLocations:
    merged = lot.merged
    held = in_force(lot.holds)
    return LotLocations(
        lot=lot.key,
        revision=lot.revision,
        as_of_us=lot.as_of_us,
        units=units,
        quantities=tuple(_quantities(lot)),
        status=gravest((status_of(held), "active" if merged is None else merged.status)),
        expires=None if merged is None else merged.expires,
        holds=tuple(hold_now(said) for said in held),
        depth_exceeded=lot.exceeded or None,
    )


def _units(lot: Lot) -> Iterable[dict[str, Any]]:
    """The fields of UnitsAt, by place."""
    places: dict[tuple[str, str], tuple[int, int, int]] = {}
    for (location, disposition, how, logistic), number in lot.counts.items():
        items, cases, weakest = places.get((location, disposition), (0, 0, 0))
        items, cases = (items, cases + number) if logistic else (items + number, cases)
        places[location, disposition] = items, cases, max(weakest, how)
    for (location, disposition), (items, cases, weakest) in sorted(places.items()):
        yield {
            "location": location,
            "disposition": disposition,
            "items": items,
            "logistic": cases,
            "evidence": _GRADES[weakest],
        }


def _quantities(lot: Lot) -> Iterable[QuantityAt]:
    for (location, disposition, uom), (amount, cases) in sorted(lot.stock.amounts(lot.carried).items()):
        yield QuantityAt(location=location, disposition=disposition, amount=amount, uom=uom, cases=cases)


def gravest(words: Iterable[str]) -> str:
    """The status of a lot of which these are said."""
    return max(words, key=_SEVERITY.__getitem__)


def known_of(lot: Lot) -> LotRecord | None:
    """All statements about a lot as one, with the status that its holds give it."""
    merged = lot.merged
    if merged is None:
        return None
    return merged.model_copy(update={"status": gravest((merged.status, status_of(in_force(lot.holds))))})


def merged_record(records: Iterable[LotRecord]) -> LotRecord | None:
    """All statements about a lot as one: newest word of each kind, counts summed, the gravest status."""
    valid = sorted((r for r in records if not r.retracted), key=lambda r: (r.at_us, r.event))
    if not valid:
        return None
    said: dict[str, object] = {}
    for record in valid:
        for name in _WORDS:
            value = getattr(record, name)
            if value not in ("", None):
                said[name] = value
    amounts = [record for record in valid if record.amount is not None]
    if amounts:
        uom = amounts[0].uom
        said |= {"amount": sum((r.amount or Decimal(0)) for r in amounts if r.uom == uom), "uom": uom}
    units = [record.units for record in valid if record.units is not None]
    if units:
        said["units"] = sum(units)
    first = valid[0]
    status = gravest(record.status for record in valid)
    recorded = max(record.recorded_us for record in valid)
    return LotRecord.model_validate(
        {
            "lot": first.lot,
            "gtin": first.gtin,
            "code": first.code,
            "event": first.event,
            "at_us": first.at_us,
            "status": status,
            "recorded_us": recorded,
            **said,
        }
    )
