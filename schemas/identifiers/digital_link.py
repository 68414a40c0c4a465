"""GS1 Digital Link URIs (standard 1.1 and later, uncompressed): to values by application identifier, and back."""

import re
from collections.abc import Callable, Sequence

from lotstream.schemas.identifiers.ai import SPECS, AiSpec
from lotstream.schemas.identifiers.checks import gtin14
from lotstream.schemas.identifiers.content import require_key_value, require_value
from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule
from lotstream.schemas.identifiers.keys import FORMS, build_key, escape, format_key, parse_key, unescape

CANONICAL = "https://id.gs1.org"
Elements = tuple[tuple[str, str], ...]

_URI = re.compile(r"(?:https?|HTTPS?)://([0-9A-Za-z\-._~:\[\]]*)(/[^?#]*)?(?:\?([^#]*))?(?:#.*)?", re.ASCII)
_ILLEGAL = re.compile(r"[^!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]")
_GTIN_AIS = frozenset({"01", "02", "03"})
_AI_LIKE = re.compile(r"[0-9]+", re.ASCII)
_LONGEST = 2048


def parse_digital_link(uri: str, *, zero_suppressed: bool = True) -> Elements:
    """(AI, value) of path and query, in their order. The path's key is the last one that could begin it.

    `zero_suppressed`: a GTIN-8, -12 or -13 is taken and padded to 14 digits. Raises IdentifierInvalid.
    """
    return _parse(uri, zero_suppressed=zero_suppressed, require=require_value)


def _parse(uri: str, *, zero_suppressed: bool, require: Callable[[AiSpec, str], str]) -> Elements:
    if len(uri) > _LONGEST or _ILLEGAL.search(uri):
        raise IdentifierInvalid(Rule.CHARACTERS, f"URI characters, at most {_LONGEST}", repr(uri[:80]), uri)
    found = _URI.fullmatch(uri)
    if not found or not found[1] or not found[2]:
        raise IdentifierInvalid(Rule.FORM, "http(s)://domain/path", repr(uri), uri)
    path = _path_elements(found[2], uri)
    query = _query_elements(found[3] or "", {ai for ai, _ in path}, uri=uri)
    elements = tuple((ai, _padded(ai, value) if zero_suppressed else value) for ai, value in (*path, *query))
    for ai, value in elements:
        require(SPECS[ai], value)
    _require_path_order(path, query, uri=uri)
    return elements


def is_path_sequence(ais: Sequence[str]) -> bool:
    """Whether these AIs, in this order, may form the path: a key, then its qualifiers."""
    key, *rest = ais
    spec = SPECS.get(key)
    if spec is None or spec.qualifiers is None:
        return False
    return any(_is_subsequence(rest, choice) for choice in spec.qualifiers)


def digital_link_to_key(uri: str) -> str:
    """The finest key in the path, under any domain; a lot beside a serial is left to `parse_scan`.

    Raises IdentifierInvalid.
    """
    return finest_key(_parse(uri, zero_suppressed=True, require=require_key_value), where=uri)


def finest_key(elements: Elements, *, where: str) -> str:
    """The finest key that these elements form, first key first. Raises IdentifierInvalid (not_gs1)."""
    values = dict(elements)
    for first, _ in elements:
        for form in FORMS:
            if form[0] == first and all(ai in values for ai in form):
                return format_key(build_key(tuple((ai, values[ai]) for ai in form), where=where))
    raise IdentifierInvalid(Rule.NOT_GS1, "a GS1 key", " ".join(values) or "none", where)


def key_to_digital_link(key: str) -> str:
    """The canonical Digital Link of a key. Raises IdentifierInvalid; an EPC that is no GS1 key has none."""
    if key.startswith("hex/"):
        raise IdentifierInvalid(Rule.NOT_GS1, "a GS1 key", repr(key), key)
    return f"{CANONICAL}/{format_key(parse_key(key))}"


def _path_elements(path: str, uri: str) -> list[tuple[str, str]]:
    """Pairs from the last place where a key with a valid sequence behind it can start."""
    segments = path.split("/")[1:]
    for start in range(len(segments) - 2, -1, -2):
        ai = segments[start]
        spec = SPECS.get(ai)
        if spec is None:
            break
        if spec.qualifiers is not None:
            return _pairs(segments[start:], uri)
    raise IdentifierInvalid(Rule.FORM, "a GS1 key in the path", repr(path), uri)


def _pairs(segments: list[str], uri: str) -> list[tuple[str, str]]:
    pairs = [(ai, unescape(value)) for ai, value in zip(segments[::2], segments[1::2], strict=True)]
    for ai, value in pairs:
        if not value:
            raise IdentifierInvalid(Rule.LENGTH, f"a value of AI ({ai})", "none", uri)
    if not is_path_sequence([ai for ai, _ in pairs]):
        raise IdentifierInvalid(Rule.FORM, "qualifiers of the key in their order", repr(segments), uri)
    return pairs


def _query_elements(query: str, taken: set[str], *, uri: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for part in query.split("&"):
        ai, equals, raw = part.partition("=")
        if not equals or not _AI_LIKE.fullmatch(ai):
            continue
        if ai not in SPECS:
            raise IdentifierInvalid(Rule.UNKNOWN_AI, "a known AI in the query", repr(ai), uri)
        if not raw:
            raise IdentifierInvalid(Rule.LENGTH, f"a value of AI ({ai})", "none", uri)
        if ai in taken:
            raise IdentifierInvalid(Rule.REPEATED, f"AI ({ai}) once", "twice", uri)
        if not SPECS[ai].attribute:
            raise IdentifierInvalid(Rule.FORM, f"AI ({ai}) in the path", "the query", uri)
        taken.add(ai)
        found.append((ai, unescape_query(raw)))
    return found


def _require_path_order(path: list[tuple[str, str]], query: list[tuple[str, str]], *, uri: str) -> None:
    """What could stand in the path as a qualifier has its place there."""
    key, *qualifiers = (ai for ai, _ in path)
    for ai, _ in query:
        for choice in SPECS[key].qualifiers or ():
            if ai in choice and set(qualifiers) <= set(choice):
                raise IdentifierInvalid(Rule.FORM, f"AI ({ai}) in the path", "the query", uri)


def _padded(ai: str, value: str) -> str:
    return gtin14(value) if ai in _GTIN_AIS and len(value) in (8, 12, 13) else value


def _is_subsequence(names: Sequence[str], whole: Sequence[str]) -> bool:
    rest = iter(whole)
    return all(name in rest for name in names)


def format_digital_link(elements: Elements, *, stem: str | None = None) -> str:
    """The Digital Link of these elements: the first key with its qualifiers as path, everything else as query.

    Raises IdentifierInvalid where there is no key, or an element may not stand in a query.
    """
    unique = dict(elements)
    where = "".join(f"({ai}){value}" for ai, value in elements)
    unknown = [ai for ai in unique if ai not in SPECS]
    if unknown:
        raise IdentifierInvalid(Rule.UNKNOWN_AI, "known AIs", repr(unknown[0]), where)
    key = next((ai for ai in unique if SPECS[ai].qualifiers is not None), None)
    if key is None:
        raise IdentifierInvalid(Rule.NOT_GS1, "the key of a Digital Link", " ".join(unique) or "none", where)
    choices = SPECS[key].qualifiers or ()
    chosen = max(choices, key=lambda choice: sum(ai in unique for ai in choice))
    path = [key, *(ai for ai in chosen if ai in unique)]
    rest = [ai for ai in unique if ai not in path]
    for ai in rest:
        if not SPECS[ai].attribute or any(ai in choice for choice in choices):
            raise IdentifierInvalid(Rule.FORM, "a data attribute", f"AI ({ai})", where)
    rest.sort(key=lambda ai: not SPECS[ai].fixed)
    base = CANONICAL if stem is None else stem.rstrip("/")
    link = base + "".join(f"/{ai}/{escape(unique[ai])}" for ai in path)
    query = "&".join(f"{ai}={escape_query(unique[ai])}" for ai in rest)
    return f"{link}?{query}" if query else link


def escape_query(value: str) -> str:
    """A value in a query: as in the path, but a blank is a plus."""
    return escape(value).replace("%20", "+")


def unescape_query(text: str) -> str:
    """The value of a query parameter: a plus is a blank."""
    return unescape(text.replace("+", " "))
