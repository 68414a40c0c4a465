"""Rows as business lines: what moved, how much, between whom, on which line of which document. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from lotstream.readers.imports import values
from lotstream.readers.imports.cells import Cells
from lotstream.readers.imports.faults import Fault, Flag, RowInvalid
from lotstream.readers.imports.import_map import ImportMap
from lotstream.readers.imports.kinds import FORMS, Field, Kind

AHEAD = timedelta(days=1)  # zones and clocks differ; what lies further ahead has not happened
PIECE = "H87"
_PAPERS = {
    Field.ORDER: "po",
    Field.DELIVERY_NOTE: "desadv",
    Field.INVOICE: "inv",
    Field.BILL_OF_LADING: "bol",
}
_ILMD_DAYS = {
    Field.EXPIRES: "cbvmda:itemExpirationDate",
    Field.BEST_BEFORE: "cbvmda:bestBeforeDate",
    Field.PRODUCED: "cbvmda:productionDate",
}
_ILMD_TEXTS = {Field.SUPPLIER_LOT: "lotstream:supplierLot", Field.DESCRIPTION: "cbvmda:descriptionShort"}


T = TypeVar("T", "Line", "Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of master data: what is said of a product, location or party."""

    row: int
    kind: Kind
    uri: str
    at: datetime
    said: tuple[tuple[str, str], ...]

    @property
    def identity(self) -> tuple[str, ...]:
        """What it is about, and since when."""
        return self.uri, self.at.isoformat()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of a file about lots. Places and parties are URIs, '' where the row says none.

    Identity: document, line and lot; a line may be split over several lots.
    """

    row: int
    kind: Kind
    gtin: str
    code: str
    lot: str
    at: datetime | None = None
    document: str = ""
    document_type: str = ""
    line: str = ""
    revision: int = 0
    amounts: tuple[tuple[Decimal, str], ...] = ()
    location: str = ""
    other: str = ""
    party: str = ""
    papers: tuple[tuple[str, str], ...] = ()
    ilmd: tuple[tuple[str, str], ...] = ()

    @property
    def identity(self) -> tuple[str, ...]:
        """What stays the same when the line is corrected."""
        return self.document, self.line, self.lot


class LineReader:
    """Reads the rows of one kind under one map."""

    def __init__(self, rules: ImportMap, kind: Kind, *, now: datetime) -> None:
        self._rules = rules
        self._kind = kind
        self._form = FORMS[kind]
        self._map = rules.kinds[kind]
        self._latest = now + AHEAD
        self._codes = {"414": dict(rules.locations), "417": dict(rules.parties)}

    def read(self, cells: Cells) -> Line:
        """The line of a row. Raises RowInvalid for its first wrong cell."""
        gtin = self._gtin(cells)
        code = cells.required(Field.LOT)
        lot = values.lot_uri(gtin, code, cells.column(Field.LOT))
        line = Line(row=cells.row.number, kind=self._kind, gtin=gtin, code=code, lot=lot, ilmd=self._ilmd(cells))
        if self._kind is Kind.LOTS:
            return line
        at = self._instant(cells)
        location = self._place(cells, Field.LOCATION, "414")
        return replace(
            line,
            at=at,
            location=location,
            document=self._document(cells, at, location),
            document_type=self._form.document_type if (own := self._map.document_type) is None else own,
            line=cells.text(Field.LINE),
            amounts=self._amounts(cells),
            other=self._place(cells, Field.FROM_LOCATION, "414") or self._place(cells, Field.TO_LOCATION, "414"),
            party=self._place(cells, Field.PARTY, "417"),
            papers=tuple((kind, self._paper(cells, field)) for field, kind in _PAPERS.items() if cells.text(field)),
        )

    def _gtin(self, cells: Cells) -> str:
        text = cells.required(Field.PRODUCT)
        known = self._rules.products.get(text, text)
        try:
            return values.gtin(known, cells.column(Field.PRODUCT))
        except RowInvalid as invalid:
            if known.isdecimal():
                raise
            raise RowInvalid(invalid.column, "a GTIN or a code of the map ([products])", text) from None

    def _instant(self, cells: Cells) -> datetime:
        column = cells.column(Field.DATE)
        cells.required(Field.DATE)
        at = values.instant(cells[Field.DATE], column, dates=self._rules.dates, at=cells[Field.TIME])
        if at > self._latest:
            raise RowInvalid(column, "a date that has come", cells.text(Field.DATE))
        return at

    def _place(self, cells: Cells, field: Field, ai: str) -> str:
        text = cells.text(field)
        if not text and field not in self._form.required:
            return ""
        return values.place_uri(text, cells.column(field), ai=ai, codes=self._codes[ai])

    def _document(self, cells: Cells, at: datetime, location: str) -> str:
        if not cells.text(Field.DOCUMENT) and Field.DOCUMENT not in self._form.required:
            # of a count: the place and the instant are what a sheet of it has in common
            return values.coded(self._rules.documents, f"{self._kind}/{location.rpartition('/')[2]}/{at.isoformat()}")
        return self._paper(cells, Field.DOCUMENT)

    def _paper(self, cells: Cells, field: Field) -> str:
        uri = values.coded(self._rules.documents, cells.required(field))
        if len(uri) > 180:
            raise RowInvalid(cells.column(field), "a shorter number", cells.text(field)[:60])
        return uri

    def _amounts(self, cells: Cells) -> tuple[tuple[Decimal, str], ...]:
        cells.required(Field.AMOUNT)
        unit = values.unit(cells.required(Field.UOM), cells.column(Field.UOM), units=self._rules.units)
        found = [(self._amount(cells, Field.AMOUNT), unit)]
        if cells.text(Field.PIECES):
            if unit == PIECE:
                raise RowInvalid(
                    cells.column(Field.PIECES), "no pieces beside an amount in pieces", cells.text(Field.PIECES)
                )
            found.append((self._amount(cells, Field.PIECES), PIECE))
        return tuple(found)

    def _amount(self, cells: Cells, field: Field) -> Decimal:
        column = cells.column(field)
        number = values.amount(cells[field], column, numbers=self._rules.numbers)
        if self._map.negative:
            number = -number
        if number < 0:
            sign = (
                "at most 0 (the map says negative)"
                if self._map.negative
                else "at least 0 (what comes back is a return)"
            )
            raise RowInvalid(column, f"an amount of {sign}", cells.text(field))
        return abs(number)

    def _ilmd(self, cells: Cells) -> tuple[tuple[str, str], ...]:
        days = [
            (name, values.day(cells[field], cells.column(field), dates=self._rules.dates).isoformat())
            for field, name in _ILMD_DAYS.items()
            if cells.text(field)
        ]
        return (*days, *((name, cells.text(field)) for field, name in _ILMD_TEXTS.items() if cells.text(field)))


def numbered(lines: Iterable[Line]) -> Iterator[Line | Flag]:
    """Lines with a number each. One without is named after its lot, which lines put before it do not change."""
    count: Counter[tuple[str, str]] = Counter()
    for line in lines:
        if line.at is None or line.line:
            yield line
            continue
        count[line.document, line.lot] += 1
        nth = count[line.document, line.lot]
        if nth > 1:
            yield Flag(line.row, f"lot {line.code} again on the same document: counted as another line")
        yield replace(line, line=line.code if nth == 1 else f"{line.code}#{nth}")


def once(said: Iterable[T]) -> Iterator[T | Fault | Flag]:
    """Each line or record once: what is repeated is flagged, what contradicts is a fault."""
    known: dict[tuple[str, ...], T] = {}
    for one in said:
        before = known.setdefault(one.identity, one)
        if before is one:
            yield one
        elif replace(before, row=one.row) == one:
            yield Flag(one.row, f"the same as row {before.row}: counted once")
        else:
            yield Fault(one.row, "", f"one row for {' '.join(one.identity)}", f"also row {before.row}")


def totals(lines: Iterable[Line]) -> dict[tuple[str, str, str], Decimal]:
    """Amounts by GTIN, lot code and unit."""
    sums: dict[tuple[str, str, str], Decimal] = {}
    for line in lines:
        for amount, uom in line.amounts:
            key = line.gtin, line.code, uom
            sums[key] = sums.get(key, Decimal(0)) + amount
    return dict(sorted(sums.items()))
