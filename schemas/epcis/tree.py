"""An event as a neutral tree, the same whether it came as JSON or as XML: what the event hash is computed from.

Standard fields have their bare names, lists and structured members the element names of the XML binding (`epc` in
`epcList`, `quantityElement` in `quantityList`, …); everything else is `{namespace}local`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotstream.schemas.epcis.names import Names

MAX_DEPTH = 64
Builder = Callable[[str, Any, Names], "Node"]


@dataclass(frozen=True, slots=True)
class Node:
    """One element: its name, its text as written, its children."""

    name: str
    text: str = ""
    children: tuple["Node", ...] = ()

    def child(self, name: str) -> "Node | None":
        """The first child of this name."""
        return next((child for child in self.children if child.name == name), None)


class TooDeep(ValueError):
    """Extensions inside one another, deeper than any reader of them goes."""


def event_node(event: Mapping[str, Any], names: Names) -> Node:
    """The tree of an event in JSON whose standard members are valid. Raises TooDeep."""
    names = names.within(event.get("@context"))
    children: list[Node] = []
    for name, value in event.items():
        build = _BUILDERS.get(name)
        if build is not None:
            children.append(build(name, value, names))
        elif ":" in name:
            children += extension(name, value, names)
        elif name not in _OUTSIDE:
            children.append(Node(name, scalar(value)))
    return Node(event["type"], "", tuple(children))


def extension(name: str, value: Any, names: Names, *, depth: int = 0) -> Iterator[Node]:
    """The elements of one extension member: one, none for null, one for each item of a list. Raises TooDeep."""
    if depth > MAX_DEPTH:
        raise TooDeep(f"Expected at most {MAX_DEPTH} levels of extensions, got more.")
    if isinstance(value, list):
        for item in value:
            yield from extension(name, item, names, depth=depth + 1)
    elif isinstance(value, dict):
        if "@value" in value:
            yield from extension(name, value["@value"], names, depth=depth + 1)
            return
        inner = names.within(value.get("@context"))
        named = value.get("@id")
        text = _iri(named, inner) if isinstance(named, str) else ""
        yield Node(names.full(name), text, tuple(_inside(value, inner, depth + 1)))
    elif value is not None:
        # CBV 2.0 section 8.9, rule 15: a compact IRI in full, wherever it stands
        yield Node(names.full(name), _iri(value, names) if isinstance(value, str) else scalar(value))


def _iri(text: str, names: Names) -> str:
    """In full, and without the white space around it (CBV 2.0 section 8.9, rules 5 and 15)."""
    return names.iri(text.strip())


def scalar(value: Any) -> str:
    """A JSON value as text: numbers without trailing zeros or exponent, booleans as in XML."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))


def number_text(number: Decimal) -> str:
    """The shortest plain decimal of a number: 1 for 1.0, 1500 for 1.5e3, 0 for -0."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _inside(value: Mapping[str, Any], names: Names, depth: int) -> Iterator[Node]:
    for name, item in value.items():
        if name not in ("@context", "@type", "@id"):
            yield from extension(name, item, names, depth=depth)


def _listed(element: str) -> Builder:
    def build(name: str, value: Iterable[str], names: Names) -> Node:
        return Node(name, "", tuple([Node(element, _iri(item, names)) for item in value]))

    return build


def _quantities(name: str, value: Iterable[Mapping[str, Any]], names: Names) -> Node:
    return Node(
        name,
        "",
        tuple(
            Node("quantityElement", "", tuple(_leaf(key, item, names) for key, item in element.items()))
            for element in value
        ),
    )


def _typed(element: str) -> Builder:
    def build(name: str, value: Iterable[Mapping[str, str]], names: Names) -> Node:
        return Node(name, "", tuple(_typed_node(element, item, names) for item in value))

    return build


def _typed_node(element: str, item: Mapping[str, str], names: Names) -> Node:
    kind = item.get("type")
    return Node(element, _iri(item[element], names), (Node("type", _iri(kind, names)),) if kind else ())


def _members(name: str, value: Mapping[str, Any], names: Names) -> Node:
    """A structure with an extension point: standard members by name, the rest as extensions."""
    names = names.within(value.get("@context"))
    children: list[Node] = []
    for key, item in value.items():
        if key == "@context":
            continue
        if key == "sensorReport":
            children += [_members(key, report, names) for report in item]
        elif key == "sensorMetadata":
            children.append(_members(key, item, names))
        elif ":" in key:
            children += extension(key, item, names)
        else:
            children.append(_leaf(key, item, names))
    return Node(name, "", tuple(children))


def _sensors(name: str, value: Iterable[Mapping[str, Any]], names: Names) -> Node:
    return Node(name, "", tuple(_members("sensorElement", element, names) for element in value))


def _persistent(name: str, value: Mapping[str, list[str]], names: Names) -> Node:
    return Node(name, "", tuple(Node(key, _iri(word, names)) for key, words in value.items() for word in words))


def _ilmd(name: str, value: Mapping[str, Any], names: Names) -> Node:
    return Node(name, "", tuple(_inside(value, names.within(value.get("@context")), 0)))


def _leaf(name: str, value: Any, names: Names) -> Node:
    return Node(name, _iri(value, names) if isinstance(value, str) and name not in _LITERALS else scalar(value))


_LITERALS = frozenset({"stringValue", "uom", "hexBinaryValue"})
_OUTSIDE = frozenset(
    {"@context", "type", "eventID", "recordTime", "errorDeclaration", "certificationInfo"}
)  # CBV 2.0: no part of the event hash
_EPCS = _listed("epc")
_BUILDERS: dict[str, Builder] = {
    "epcList": _EPCS,
    "childEPCs": _EPCS,
    "inputEPCList": _EPCS,
    "outputEPCList": _EPCS,
    "quantityList": _quantities,
    "childQuantityList": _quantities,
    "inputQuantityList": _quantities,
    "outputQuantityList": _quantities,
    "parentID": _leaf,
    "transformationID": _leaf,
    "bizStep": _leaf,
    "disposition": _leaf,
    "persistentDisposition": _persistent,
    "readPoint": _members,
    "bizLocation": _members,
    "bizTransactionList": _typed("bizTransaction"),
    "sourceList": _typed("source"),
    "destinationList": _typed("destination"),
    "sensorElementList": _sensors,
    "ilmd": _ilmd,
}
