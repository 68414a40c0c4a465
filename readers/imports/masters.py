"""Master data: lots as decisions; products, locations and parties as events with ILMD. Pure."""

from datetime import UTC, datetime

import orjson

from lotstream.readers.imports import values
from lotstream.readers.imports.cells import Cells
from lotstream.readers.imports.events import Event, event_at
from lotstream.readers.imports.faults import RowInvalid
from lotstream.readers.imports.import_map import ImportMap
from lotstream.readers.imports.kinds import FORMS, Field, Kind
from lotstream.readers.imports.lines import Line, Record
from lotstream.schemas.decisions import ChangeContent

_SUBJECT = {Kind.PRODUCTS: Field.PRODUCT, Kind.LOCATIONS: Field.LOCATION, Kind.PARTIES: Field.PARTY}
# CBV 2.0 section 10: the attributes of locations and trade items
_NAMES = {
    Field.STREET: "cbvmda:streetAddressOne",
    Field.POSTAL_CODE: "cbvmda:postalCode",
    Field.CITY: "cbvmda:city",
    Field.REGION: "cbvmda:state",
    Field.COUNTRY: "cbvmda:countryCode",
    Field.PHONE: "lotstream:phone",
    Field.CODE: "lotstream:code",
    Field.CONVERSIONS: "lotstream:unitConversions",
}
_LOT = {
    "cbvmda:itemExpirationDate": "expires",
    "cbvmda:bestBeforeDate": "best_before",
    "cbvmda:productionDate": "production_date",
    "cbvmda:descriptionShort": "description",
    "lotstream:supplierLot": "supplier_code",
}
# master data of no instant: the same whenever they are imported
_TIMELESS = datetime(2000, 1, 1, tzinfo=UTC)


class RecordReader:
    """Reads the rows of products, locations or parties."""

    def __init__(self, rules: ImportMap, kind: Kind) -> None:
        self._rules = rules
        self._kind = kind

    def read(self, cells: Cells) -> Record:
        """What a row says. Raises RowInvalid."""
        name = "cbvmda:descriptionShort" if self._kind is Kind.PRODUCTS else "cbvmda:name"
        said = [(name, cells.required(Field.DESCRIPTION))]
        said += [(_NAMES[field], cells.text(field)) for field in FORMS[self._kind].fields if field in _NAMES]
        said += [("lotstream:balanceTolerance", self._tolerance(cells))]
        kept = tuple((name, text) for name, text in said if text)
        return Record(row=cells.row.number, kind=self._kind, uri=self._uri(cells), at=self._since(cells), said=kept)

    def _tolerance(self, cells: Cells) -> str:
        """Percent of what went in that may be missing from production; '' where nobody said."""
        text, column = cells.text(Field.TOLERANCE), cells.column(Field.TOLERANCE)
        if not text:
            return ""
        percent = values.amount(cells[Field.TOLERANCE], column, numbers=self._rules.numbers)
        if percent < 0:
            raise RowInvalid(column, "a percentage from 0 on", text)
        return f"{percent:f}"

    def _since(self, cells: Cells) -> datetime:
        if not cells.text(Field.DATE):
            return _TIMELESS
        return values.instant(cells[Field.DATE], cells.column(Field.DATE), dates=self._rules.dates)

    def _uri(self, cells: Cells) -> str:
        field = _SUBJECT[self._kind]
        text, column = cells.required(field), cells.column(field)
        if self._kind is Kind.PRODUCTS:
            return f"https://id.gs1.org/01/{values.gtin(text, column)}"
        ai, codes = ("414", self._rules.locations) if self._kind is Kind.LOCATIONS else ("417", self._rules.parties)
        return values.place_uri(text, column, ai=ai, codes=codes)


def record_event(record: Record) -> bytes:
    """What a record says, as an EPCIS event."""
    event = event_at("ObjectEvent", record.at) | {"action": "ADD", "ilmd": dict(record.said)}
    goods: Event = {"quantityList": [{"epcClass": record.uri}]}
    return orjson.dumps(event | (goods if record.kind is Kind.PRODUCTS else {"epcList": [record.uri]}))


def lot_change(line: Line, *, by: str, reason: str) -> bytes:
    """What a row says of a lot, as a decision. Raises RowInvalid when it says nothing."""
    if not line.ilmd:
        raise RowInvalid("", "something that is said of the lot", "its number alone")
    said = {_LOT[name]: text for name, text in line.ilmd}
    key = line.lot.removeprefix("https://id.gs1.org/")
    content = {"kind": "lot_change", "lot": key, "by": by, "reason": reason, **said}
    return ChangeContent.model_validate_json(orjson.dumps(content)).encode()
