"""What a file can hold, and which fields a row of it has."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What the rows of a file are."""

    RECEIPTS = "receipts"
    PRODUCTION = "production"
    CONSUMPTION = "consumption"
    SHIPMENTS = "shipments"
    RETURNS = "returns"
    COUNTS = "counts"
    LOTS = "lots"
    PRODUCTS = "products"
    LOCATIONS = "locations"
    PARTIES = "parties"


class Field(StrEnum):
    """What a column can be."""

    DOCUMENT = "document"
    LINE = "line"
    DATE = "date"
    TIME = "time"
    PRODUCT = "product"
    LOT = "lot"
    AMOUNT = "amount"
    UOM = "uom"
    PIECES = "pieces"
    LOCATION = "location"
    FROM_LOCATION = "from_location"
    TO_LOCATION = "to_location"
    PARTY = "party"
    ORDER = "order"
    DELIVERY_NOTE = "delivery_note"
    INVOICE = "invoice"
    BILL_OF_LADING = "bill_of_lading"
    SUPPLIER_LOT = "supplier_lot"
    PRODUCED = "produced"
    EXPIRES = "expires"
    BEST_BEFORE = "best_before"
    DESCRIPTION = "description"
    CODE = "code"
    CONVERSIONS = "conversions"
    TOLERANCE = "tolerance"
    STREET = "street"
    POSTAL_CODE = "postal_code"
    CITY = "city"
    REGION = "region"
    COUNTRY = "country"
    PHONE = "phone"


_F = Field
_PAPERS = (_F.ORDER, _F.DELIVERY_NOTE, _F.INVOICE, _F.BILL_OF_LADING)
_BORN = (_F.SUPPLIER_LOT, _F.PRODUCED, _F.EXPIRES, _F.BEST_BEFORE, _F.DESCRIPTION)
_GOODS = (_F.DATE, _F.PRODUCT, _F.LOT, _F.AMOUNT, _F.UOM, _F.LOCATION)
_ADDRESS = (_F.STREET, _F.POSTAL_CODE, _F.CITY, _F.REGION, _F.COUNTRY, _F.PHONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The fields of a kind, and the CBV type of the document that its lines belong to."""

    required: tuple[Field, ...]
    optional: tuple[Field, ...] = ()
    document_type: str = ""

    @property
    def fields(self) -> tuple[Field, ...]:
        """All of them, in the order of a template."""
        return self.required + self.optional


FORMS: Mapping[Kind, Form] = {
    Kind.RECEIPTS: Form(
        required=(_F.DOCUMENT, *_GOODS),
        optional=(_F.LINE, _F.TIME, _F.PARTY, _F.FROM_LOCATION, _F.PIECES, *_BORN, *_PAPERS),
        document_type="recadv",
    ),
    Kind.PRODUCTION: Form(
        required=(_F.DOCUMENT, *_GOODS),
        optional=(_F.LINE, _F.TIME, _F.PIECES, *_BORN),
        document_type="prodorder",
    ),
    Kind.CONSUMPTION: Form(
        required=(_F.DOCUMENT, *_GOODS), optional=(_F.LINE, _F.TIME, _F.PIECES), document_type="prodorder"
    ),
    Kind.SHIPMENTS: Form(
        required=(_F.DOCUMENT, *_GOODS, _F.PARTY),
        optional=(_F.LINE, _F.TIME, _F.TO_LOCATION, _F.PIECES, *(one for one in _PAPERS if one != _F.DELIVERY_NOTE)),
        document_type="desadv",
    ),
    Kind.RETURNS: Form(
        required=(_F.DOCUMENT, *_GOODS, _F.PARTY),
        optional=(_F.LINE, _F.TIME, _F.FROM_LOCATION, _F.PIECES, *_PAPERS),
        document_type="rma",
    ),
    Kind.COUNTS: Form(required=_GOODS, optional=(_F.DOCUMENT, _F.LINE, _F.TIME)),
    Kind.LOTS: Form(required=(_F.PRODUCT, _F.LOT), optional=_BORN),
    Kind.PRODUCTS: Form(
        required=(_F.PRODUCT, _F.DESCRIPTION), optional=(_F.CODE, _F.CONVERSIONS, _F.TOLERANCE, _F.DATE)
    ),
    Kind.LOCATIONS: Form(required=(_F.LOCATION, _F.DESCRIPTION), optional=(_F.CODE, *_ADDRESS)),
    Kind.PARTIES: Form(required=(_F.PARTY, _F.DESCRIPTION), optional=(_F.CODE, *_ADDRESS)),
}
RECORDS = frozenset({Kind.PRODUCTS, Kind.LOCATIONS, Kind.PARTIES})
