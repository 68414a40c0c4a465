"""Names in JSON-LD: prefixes and terms of @context, and the full names that they stand for.

Remote contexts are not fetched: the one of EPCIS 2.0 is known, what others define stays as written.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

STANDARD = {
    "epcis": "https://ref.gs1.org/epcis/",
    "cbv": "https://ref.gs1.org/cbv/",
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "gs1": "https://gs1.org/voc/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dcterms": "http://purl.org/dc/terms/",
}
MDA = "urn:epcglobal:cbv:mda"
GS1_VOC = "https://gs1.org/voc/"
COMMENT = "{http://www.w3.org/2000/01/rdf-schema#}comment"


@dataclass(frozen=True, slots=True)
class Names:
    """What a context defines: prefix or term -> IRI."""

    defined: Mapping[str, str] = field(default_factory=lambda: STANDARD)

    def within(self, context: object) -> "Names":
        """These names with those of an inner @context; what it does not define in itself is passed over."""
        found = dict(_definitions(context))
        return Names({**self.defined, **found}) if found else self

    def iri(self, text: str) -> str:
        """A compact IRI in full; any other text as it is."""
        prefix, colon, rest = text.partition(":")
        base = self.defined.get(prefix) if colon and not rest.startswith("//") else None
        return text if base is None or _SPACE.search(rest) else base + rest

    def full(self, name: str) -> str:
        """`{namespace}local` of a member's name: a compact IRI, an IRI, or a term; a bare name as it is."""
        prefix, colon, rest = name.partition(":")
        if colon and not rest.startswith("//") and (base := self.defined.get(prefix)) is not None:
            return f"{{{_namespace(base)}}}{rest}"
        term = self.defined.get(name)
        return _split(name) if colon else _split(term) if term else name


_SPACE = re.compile(r"\s")  # behind it stands a sentence, no name
NAMES = Names()


def _definitions(context: object) -> Iterable[tuple[str, str]]:
    if isinstance(context, list):
        for part in context:
            yield from _definitions(part)
    elif isinstance(context, dict):
        for name, value in context.items():
            iri = value.get("@id") if isinstance(value, dict) else value
            if isinstance(iri, str) and not name.startswith("@"):
                yield name, iri


def _namespace(base: str) -> str:
    """The namespace as its context has it; that of CBV's master data as XML writes it, without the last colon."""
    return MDA if base == STANDARD["cbvmda"] else base


@lru_cache(maxsize=1 << 12)
def _split(iri: str) -> str:
    end = max(iri.rfind(mark) for mark in "/#:") + 1
    return f"{{{_namespace(iri[:end])}}}{iri[end:]}"


def local(name: str) -> str:
    """The local part of `{namespace}local`."""
    return name.rpartition("}")[2]


def namespace(name: str) -> str:
    """The namespace of `{namespace}local`, '' of a bare name."""
    return name[1:].rpartition("}")[0]
