"""The event hash id of CBV 2.0: the pre-hash string of an event's tree, and its SHA-256.

Rules where the standard leaves room, or where texts could lose their identity:
* `rdfs:comment` says nothing about goods and has no counterpart in XML: it is left out.
* Text of an extension that reads as a decimal is written as one (XML has no numbers), except where the name says that
  it is a code: lot `1.10` is not lot `1.1`. Leading zeros stay.
* A namespace is written as its context has it; CBV's own without its last colon, as in XML (`urn:epcglobal:cbv:mda`).
* `sensorElementList` stands once before its elements, a type behind its value, `gs1:` for https://gs1.org/voc/: as the
  standard says; programs are about that differ in these.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from lotstream.schemas.epcis.canonical import canonical_uri
from lotstream.schemas.epcis.names import COMMENT, NAMES, local
from lotstream.schemas.epcis.times import canonical_instant
from lotstream.schemas.epcis.tree import Node, event_node, number_text
from lotstream.schemas.epcis.words import (
    ALERT,
    BIZ_STEP,
    COMPONENT,
    DISPOSITION,
    MEASUREMENT,
    PARTY,
    TRANSACTION,
    Vocabulary,
    canonical_word,
)

_DECIMAL = re.compile(r"[+-]?(?:0|[1-9][0-9]*)\.[0-9]+", re.ASCII)
_CODES = frozenset({"lotNumber", "hasBatchLotNumber", "batchLotNumber", "documentLine"})
Text = Callable[[str], str]
Write = Callable[[Node], str]
Order = tuple[tuple[str, Write], ...]


def event_hash(event: Mapping[str, Any], context: object = None) -> str:
    """`ni:///sha-256;HEX?ver=CBV2.0` of an event in JSON under the @context of its document.

    Raises TooDeep; the event is one that `parse_document` takes.
    """
    return hash_of(event_node(event, NAMES.within(context)))


def hash_of(event: Node) -> str:
    """The event hash id of an event's tree."""
    return f"ni:///sha-256;{hashlib.sha256(prehash(event).encode()).hexdigest()}?ver=CBV2.0"


def prehash(event: Node) -> str:
    """The pre-hash string: fields in canonical order, lists sorted by code points, extensions at the end."""
    return f"eventType={event.name}{_ordered(event, _EVENT)}{_extensions(event.children)}"


def _ordered(node: Node, order: Order) -> str:
    found: dict[str, Node] = {}
    for child in node.children:
        found.setdefault(child.name, child)
    return "".join([write(found[name]) for name, write in order if name in found])


def _value(canonical: Text) -> Write:
    def write(node: Node) -> str:
        text = node.text.strip()
        return f"{node.name}={canonical(text)}" if text else ""

    return write


def _list(write: Write) -> Write:
    def write_list(node: Node) -> str:
        parts = sorted(filter(None, map(write, node.children)))
        return node.name + "".join(parts) if parts else ""

    return write_list


def _structure(order: Order) -> Write:
    def write(node: Node) -> str:
        inside = _ordered(node, order) + _extensions(node.children)
        return node.name + inside if inside else ""

    return write


def _with_type(vocabulary: Vocabulary) -> Write:
    """A value, then its type (CBV 2.0 section 8.9, rule 13)."""
    value, kind = _value(canonical_uri), _value(lambda text: canonical_word(text, vocabulary))

    def write(node: Node) -> str:
        type_node = node.child("type")
        return value(node) + (kind(type_node) if type_node else "")

    return write


def _word(vocabulary: Vocabulary) -> Write:
    return _value(lambda text: canonical_word(text, vocabulary))


def _persistent(node: Node) -> str:
    """All that is set, then all that is unset."""
    write = _word(DISPOSITION)
    parts = [
        "".join(sorted(write(child) for child in node.children if child.name == name)) for name in ("set", "unset")
    ]
    return node.name + "".join(parts) if any(parts) else ""


def _sensor(node: Node) -> str:
    """Metadata, the reports sorted, then what the element itself is extended by."""
    metadata = node.child("sensorMetadata")
    reports = sorted(_SENSOR_REPORT(child) for child in node.children if child.name == "sensorReport")
    inside = (_SENSOR_METADATA(metadata) if metadata else "") + "".join(reports) + _extensions(node.children)
    return node.name + inside


def _extensions(nodes: Iterable[Node]) -> str:
    return "".join(sorted(_extension(node) for node in nodes if node.name[:1] == "{" and node.name != COMMENT))


def _extension(node: Node) -> str:
    """An extension element with everything in it, named or bare."""
    text = node.text.strip()
    value = f"={_literal(text, node.name)}" if text else ""
    return node.name + value + "".join(sorted(map(_extension, node.children)))


def _literal(text: str, name: str) -> str:
    if _DECIMAL.fullmatch(text) and local(name) not in _CODES:
        return number_text(Decimal(text))
    return canonical_uri(text)


def _number(text: str) -> str:
    try:
        return number_text(Decimal(text))
    except ArithmeticError:
        return text


def _time(text: str) -> str:
    try:
        return canonical_instant(text)
    except ValueError:
        return text


def _text(text: str) -> str:
    return text


_TEXT, _URI, _NUMBER, _TIME = _value(_text), _value(canonical_uri), _value(_number), _value(_time)
_EPCS = _list(_URI)
_QUANTITIES = _list(_structure((("epcClass", _URI), ("quantity", _NUMBER), ("uom", _TEXT))))
_PLACE = _structure((("id", _URI),))
_SENSOR_METADATA = _structure(
    (
        ("time", _TIME),
        ("startTime", _TIME),
        ("endTime", _TIME),
        ("deviceID", _URI),
        ("deviceMetadata", _URI),
        ("rawData", _URI),
        ("dataProcessingMethod", _URI),
        ("bizRules", _URI),
    )
)
_SENSOR_REPORT = _structure(
    (
        ("type", _word(MEASUREMENT)),
        ("exception", _word(ALERT)),
        ("deviceID", _URI),
        ("deviceMetadata", _URI),
        ("rawData", _URI),
        ("dataProcessingMethod", _URI),
        ("time", _TIME),
        ("microorganism", _URI),
        ("chemicalSubstance", _URI),
        ("value", _NUMBER),
        ("component", _word(COMPONENT)),
        ("stringValue", _TEXT),
        ("booleanValue", _TEXT),
        ("hexBinaryValue", _TEXT),
        ("uriValue", _URI),
        ("minValue", _NUMBER),
        ("maxValue", _NUMBER),
        ("meanValue", _NUMBER),
        ("sDev", _NUMBER),
        ("percRank", _NUMBER),
        ("percValue", _NUMBER),
        ("uom", _TEXT),
        ("coordinateReferenceSystem", _URI),
    )
)
_EVENT: Order = (
    ("eventTime", _TIME),
    ("eventTimeZoneOffset", _TEXT),
    ("epcList", _EPCS),
    ("parentID", _URI),
    ("inputEPCList", _EPCS),
    ("childEPCs", _EPCS),
    ("quantityList", _QUANTITIES),
    ("childQuantityList", _QUANTITIES),
    ("inputQuantityList", _QUANTITIES),
    ("outputEPCList", _EPCS),
    ("outputQuantityList", _QUANTITIES),
    ("action", _TEXT),
    ("transformationID", _URI),
    ("bizStep", _word(BIZ_STEP)),
    ("disposition", _word(DISPOSITION)),
    ("persistentDisposition", _persistent),
    ("readPoint", _PLACE),
    ("bizLocation", _PLACE),
    ("bizTransactionList", _list(_with_type(TRANSACTION))),
    ("sourceList", _list(_with_type(PARTY))),
    ("destinationList", _list(_with_type(PARTY))),
    ("sensorElementList", _list(_sensor)),
    ("ilmd", _structure(())),
)
