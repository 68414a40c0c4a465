"""GS1 identifiers: keys, EPCs, barcodes and Digital Links, each parsed in full or refused.

Every reader, event and question names a tag by `tag_key` and a lot by `lot_key`; nothing else makes such names.
"""

from lotstream.schemas.identifiers.checks import check_digit, gln, gtin, gtin14, sscc
from lotstream.schemas.identifiers.dates import parse_date, year_of
from lotstream.schemas.identifiers.describe import Description, Element, describe
from lotstream.schemas.identifiers.digital_link import (
    digital_link_to_key,
    format_digital_link,
    key_to_digital_link,
    parse_digital_link,
)
from lotstream.schemas.identifiers.elements import format_bracketed, format_raw, parse_bracketed, parse_raw
from lotstream.schemas.identifiers.epc import epc_to_key, sgtin96_keys
from lotstream.schemas.identifiers.epc_uri import class_urn_to_key, epc_uri_to_key
from lotstream.schemas.identifiers.epc_uri_format import key_to_epc_uri
from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule
from lotstream.schemas.identifiers.keys import Key, Scheme, format_key, lot_key, parse_key, split_lot_key
from lotstream.schemas.identifiers.scan import Scan, parse_scan
from lotstream.schemas.identifiers.scan_format import format_scan
from lotstream.schemas.identifiers.scan_read import Written
from lotstream.schemas.identifiers.separators import Separators
from lotstream.schemas.identifiers.tag import tag_key

__all__ = [
    "Description",
    "Element",
    "IdentifierInvalid",
    "Key",
    "Rule",
    "Scan",
    "Scheme",
    "Separators",
    "Written",
    "check_digit",
    "class_urn_to_key",
    "describe",
    "digital_link_to_key",
    "epc_to_key",
    "epc_uri_to_key",
    "format_bracketed",
    "format_digital_link",
    "format_key",
    "format_raw",
    "format_scan",
    "gln",
    "gtin",
    "gtin14",
    "key_to_digital_link",
    "key_to_epc_uri",
    "lot_key",
    "parse_bracketed",
    "parse_date",
    "parse_digital_link",
    "parse_key",
    "parse_raw",
    "parse_scan",
    "sgtin96_keys",
    "split_lot_key",
    "sscc",
    "tag_key",
    "year_of",
]
