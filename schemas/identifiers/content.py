"""Whether a value is what its application identifier promises: characters, length, then each content check."""

from collections.abc import Iterator

from lotstream.schemas.identifiers.ai import AiSpec, Component
from lotstream.schemas.identifiers.checks import CSET39, CSET64, CSET82, DIGITS
from lotstream.schemas.identifiers.errors import IdentifierInvalid, Rule
from lotstream.schemas.identifiers.linters import LINTERS

_CHARSETS = {"N": DIGITS, "X": CSET82, "Y": CSET39, "Z": CSET64}
_KEY_LINTERS = frozenset({"csum", "csumalpha", "zero", "nozeroprefix"})
_CHARSET_NAMES = {
    "N": "digits 0-9 only",
    "X": "characters of GS1 set 82 only",
    "Y": "characters of GS1 set 39 only",
    "Z": "base64url characters only",
}


def split_components(spec: AiSpec, value: str) -> Iterator[tuple[Component, str]]:
    """The parts of a value, in full: what is left over or missing raises IdentifierInvalid (length)."""
    where = f"({spec.ai}){value}"
    rest = value
    for part in spec.components:
        if not rest and part.optional:
            continue
        piece, rest = rest[: part.longest], rest[part.longest :]
        if len(piece) < part.shortest:
            raise IdentifierInvalid(Rule.LENGTH, _length(spec), f"{len(value)}", where)
        yield part, piece
    if rest:
        raise IdentifierInvalid(Rule.LENGTH, _length(spec), f"{len(value)}", where)


def require_value(spec: AiSpec, value: str) -> str:
    """`value` when it is valid for the AI in every respect. Raises IdentifierInvalid."""
    where = f"({spec.ai}){value}"
    for part, piece in list(split_components(spec, value)):
        _require_charset(part, piece, where=where)
        for linter in part.linters:
            LINTERS[linter](piece, where)
    return value


def require_key_value(spec: AiSpec, value: str) -> str:
    """`value` when its form and its check digits are right.

    An EPC may hold what a barcode may not (piece 00 of 00), and its key must still be one key.
    """
    where = f"({spec.ai}){value}"
    for part, piece in list(split_components(spec, value)):
        _require_charset(part, piece, where=where)
        for linter in _KEY_LINTERS.intersection(part.linters):
            LINTERS[linter](piece, where)
    return value


def _require_charset(part: Component, piece: str, *, where: str) -> None:
    charset = _CHARSETS[part.charset]
    if not charset.issuperset(piece):
        wrong = next(char for char in piece if char not in charset)
        raise IdentifierInvalid(Rule.CHARACTERS, _CHARSET_NAMES[part.charset], repr(wrong), where)
    padding = len(piece) - len(piece.rstrip("="))
    if part.charset == "Z" and ("=" in piece[: len(piece) - padding] or (padding and (padding > 2 or len(piece) % 3))):
        raise IdentifierInvalid(Rule.CHARACTERS, "one or two = at the end, to a multiple of 3", repr(piece), where)


def _length(spec: AiSpec) -> str:
    span = f"{spec.shortest}" if spec.shortest == spec.longest else f"{spec.shortest} to {spec.longest}"
    return f"{span} characters for AI ({spec.ai})"
