"""What a text is, told in full: for people who hold a label, a log line or an EPC and ask."""

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from lotstream.schemas.identifiers.ai import SPECS
from lotstream.schemas.identifiers.amounts import Measure, Price
from lotstream.schemas.identifiers.dates import TODAY_YEAR
from lotstream.schemas.identifiers.digital_link import finest_key, key_to_digital_link
from lotstream.schemas.identifiers.epc import epc_pure_uri, epc_to_key
from lotstream.schemas.identifiers.errors import IdentifierInvalid
from lotstream.schemas.identifiers.keys import Key, Scheme, format_key, parse_key
from lotstream.schemas.identifiers.scan import Scan, parse_scan
from lotstream.schemas.identifiers.scan_read import Written
from lotstream.schemas.identifiers.tag import tag_key

_EPC = re.compile(r"(?=[0-9A-Fa-f]*[A-Fa-f])(?:[0-9A-Fa-f]{4}){4,32}", re.ASCII)
_KEY = re.compile(r"(?:hex|[0-9]{2,4})/[^/]+(?:/[0-9]{2,4}/[^/]+)?", re.ASCII)
_PURE = "urn:epc:id:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element, with the title that is printed beside it."""

    ai: str
    title: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a text says. `key` is the finest key in it, of a thing, a lot or a class (None: no GS1 key).

    `epc_uri` is there where the text itself says how long the company prefix is.
    """

    text: str
    written: Written
    scheme: Scheme | None
    key: str | None
    symbology: str | None = None
    elements: tuple[Element, ...] = ()
    gtin: str | None = None
    serial: str | None = None
    sscc: str | None = None
    lot: str | None = None
    dates: dict[str, date] = field(default_factory=dict)
    amount: Decimal | None = None
    unit: str | None = None
    count: int | None = None
    measures: tuple[Measure, ...] = ()
    prices: tuple[Price, ...] = ()
    digital_link: str | None = None
    epc_uri: str | None = None
    warnings: tuple[str, ...] = ()


def describe(text: str, *, today_year: int = TODAY_YEAR) -> Description:
    """What `text` is: scanner data, element string, EPC, EPC URI, Digital Link or key.

    Raises IdentifierInvalid with the rule that it breaks.
    """
    text = text.strip()
    if text[:4].lower() == "urn:":
        key = tag_key(text)
        return _of_key(text, key, written=Written.EPC_URI, epc_uri=text if text.lower().startswith(_PURE) else None)
    if _KEY.fullmatch(text):
        return _of_key(text, tag_key(text), written=Written.KEY)
    try:
        scan = parse_scan(text, today_year=today_year)
    except IdentifierInvalid:
        if not _EPC.fullmatch(text):
            raise
        return _of_key(text, epc_to_key(text), written=Written.EPC)
    return _of_scan(text, scan)


def _of_key(text: str, name: str, *, written: Written, epc_uri: str | None = None) -> Description:
    key = parse_key(name)
    is_hex = key.scheme is Scheme.HEX
    return Description(
        text=text,
        written=written,
        scheme=key.scheme,
        key=name,
        elements=() if is_hex else _elements(key.fields),
        gtin=key.gtin,
        serial=key.serial,
        sscc=key.value("00"),
        lot=name if key.scheme is Scheme.LGTIN else None,
        digital_link=None if is_hex else key_to_digital_link(name),
        epc_uri=epc_uri,
    )


def _of_scan(text: str, scan: Scan) -> Description:
    key = _finest(scan)
    name = None if key is None else format_key(key)
    return Description(
        text=text,
        written=scan.written,
        scheme=None if key is None else key.scheme,
        key=name,
        symbology=scan.symbology,
        elements=_elements(scan.elements),
        gtin=scan.gtin,
        serial=scan.serial,
        sscc=scan.sscc,
        lot=scan.lot,
        dates=scan.dates,
        amount=scan.amount,
        unit=scan.unit,
        count=scan.count,
        measures=scan.measures,
        prices=scan.prices,
        digital_link=None if name is None else key_to_digital_link(name),
        epc_uri=epc_pure_uri(text) if scan.written is Written.EPC else None,
        warnings=scan.warnings,
    )


def _finest(scan: Scan) -> Key | None:
    """The key of the thing, else of its lot, else of its class."""
    named = scan.key or scan.lot
    if named is not None:
        return parse_key(named)
    try:
        return parse_key(finest_key(scan.elements, where=scan.written))
    except IdentifierInvalid:
        return None


def _elements(pairs: tuple[tuple[str, str], ...]) -> tuple[Element, ...]:
    return tuple(Element(ai=ai, title=SPECS[ai].title, value=value) for ai, value in pairs)
