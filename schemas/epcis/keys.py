"""Identifiers of events as keys: EPCs, classes, parties and places, by whatever URI they are named.

EPCIS lets any URI stand for an object or a place. One that is no EPC and no Digital Link becomes `uri/…`: the URI
percent-encoded as one path segment, like every value in a key, so that it partitions and compares like one.
"""

import hashlib
import re
from functools import lru_cache

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.identifiers import IdentifierInvalid, Rule, parse_key, tag_key
from lotstream.schemas.identifiers.keys import escape

LONGEST_KEY = 400
LONGEST_NAME = 200
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s\x00-\x1f\x7f]+", re.ASCII)
_NUMBERED = re.compile(r"(urn:epc:id:.+\.|https?://.+/)([0-9]{1,20})", re.ASCII)
_END = re.compile(r"/(?=[?#]|$)")
# GS1 Digital Link 1.2, on which CBV 2.0 rests, still has names for the AIs of a path
_AI_NAMES = {
    "gtin": "01",
    "itip": "8006",
    "gmn": "8013",
    "cpid": "8010",
    "gln": "414",
    "partyGln": "417",
    "gsrnp": "8017",
    "gsrn": "8018",
    "gcn": "255",
    "sscc": "00",
    "gdti": "253",
    "ginc": "401",
    "gsin": "402",
    "grai": "8003",
    "giai": "8004",
    "cpv": "22",
    "lot": "10",
    "ser": "21",
    "cpsn": "8011",
    "glnx": "254",
    "tpx": "235",
}
_NAMED = re.compile(rf"/({'|'.join(_AI_NAMES)})(?=/[^/])")
_KEYLESS = re.compile(r"urn:epc:(?:id|idpat|tag|pat):(?:bic|imovn|gid|usdod|adi)[:-]", re.ASCII | re.IGNORECASE)
_RAW = re.compile(r"urn:epc:raw:[1-9][0-9]*\.x([0-9A-F]+)", re.ASCII)
# what makes a web address under any domain a Digital Link beyond doubt, though a wrong one
_TYPING_ERRORS = frozenset({Rule.CHECK_DIGIT})


@lru_cache(maxsize=1 << 17)
def gs1_key(uri: str) -> str:
    """The key of an EPC URI, class or pattern URN, or Digital Link; '' of any other URI. Raises IdentifierInvalid."""
    numbered = _NUMBERED.fullmatch(uri)
    # the units of a run differ in their serials only, and every number of 1 to 20 digits is a serial
    of_class = _serial_key(numbered[1]) if numbered else ""
    return of_class + numbered[2] if numbered and of_class else _key(uri)


@lru_cache(maxsize=1 << 17)
def epc_key(uri: str) -> str:
    """The key of one object. Raises Rejected (a class or lot is not one object)."""
    key = gs1_key(_require_uri(uri))
    if not key:
        return uri_key(uri)
    if key[17:21] != "/21/" and not parse_key(key).is_instance:
        raise Rejected(Reason.IDENTIFIER_INVALID, f"Expected the EPC of one object, got the class {uri!r}.")
    return key


@lru_cache(maxsize=1 << 14)
def class_key(uri: str) -> str:
    """The key of a class or lot of objects; a private URI as sent. Raises Rejected (one object is no class)."""
    key = gs1_key(_require_uri(uri))
    if key and parse_key(key).is_instance:
        raise Rejected(Reason.IDENTIFIER_INVALID, f"Expected a class or lot, got the EPC of one object {uri!r}.")
    return key or require_name(uri)


@lru_cache(maxsize=1 << 14)
def place_key(uri: str) -> str:
    """The key of a place or party: 414/…, 417/…, or of whatever GS1 key it has; another URI as sent.

    Raises Rejected.
    """
    return _key_or_name(uri)


def uri_key(uri: str) -> str:
    """`uri/…` of a URI that is no GS1 identifier; one too long for a key ends in its SHA-256."""
    key = f"uri/{escape(uri)}"
    if len(key) <= LONGEST_KEY:
        return key
    return f"{key[:320]}~{hashlib.sha256(uri.encode()).hexdigest()}"


def require_name(uri: str) -> str:
    """A URI that fits a name. Raises Rejected."""
    if len(_require_uri(uri)) > LONGEST_NAME:
        raise Rejected(
            Reason.VALUE_OUT_OF_RANGE, f"Expected a URI of at most {LONGEST_NAME} characters, got {len(uri)}."
        )
    return uri


def is_uri(text: str) -> bool:
    """Whether it has a scheme, something behind it, and no white space."""
    return _URI.fullmatch(text) is not None


def _key_or_name(uri: str) -> str:
    return gs1_key(_require_uri(uri)) or require_name(uri)


def _require_uri(uri: str) -> str:
    if not is_uri(uri):
        shown = uri if len(uri) <= 80 else f"{uri[:79]}…"
        raise Rejected(Reason.IDENTIFIER_INVALID, f"Expected a URI, got {shown!r}.")
    return uri


@lru_cache(maxsize=1 << 12)
def _serial_key(head: str) -> str:
    """`01/{gtin14}/21/` when `head` and a number name a unit of that GTIN, else ''."""
    try:
        key = _key(f"{head}1")
    except IdentifierInvalid:
        return ""
    return key[:-1] if key[:3] == "01/" and key[17:] == "/21/1" else ""


def _key(uri: str) -> str:
    head = uri[:8].lower()
    if head == "urn:epc:":
        raw = _RAW.fullmatch(uri)
        return tag_key(raw[1]) if raw else _of_urn(uri)
    if head.startswith(("http:", "https:")):
        return _of_link(uri)
    return ""


def _of_urn(urn: str) -> str:
    try:
        return tag_key(urn)
    except IdentifierInvalid as invalid:
        # a scheme without a GS1 key still names something; no scheme will be added to the URNs, so another is a slip
        if invalid.rule is Rule.UNKNOWN_SCHEME and _KEYLESS.match(urn):
            return ""
        raise


def _of_link(uri: str) -> str:
    plain = _END.sub("", uri, count=1)
    try:
        return tag_key(plain)
    except IdentifierInvalid as invalid:
        numbered = _NAMED.sub(lambda found: f"/{_AI_NAMES[found[1]]}", plain.partition("?")[0])
        if _NAMED.search(plain.partition("?")[0]):
            return _of_link(numbered)
        own = uri.split("/", 3)[2].lower() == "id.gs1.org" if uri.count("/") >= 2 else False
        if own or invalid.rule in _TYPING_ERRORS:
            raise
        return ""
