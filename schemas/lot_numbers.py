"""Lot numbers by template: '{site}{line}{date:%y%j}-{seq:04}{check}'.

Everything but the sequence follows from what is made; it names the series in which the sequence counts from 1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.identifiers import lot_key

LONGEST = 200  # characters of a template
_DIRECTIVES = "yYmdjGVu"  # of strftime: what does not depend on a language
_PIECE = re.compile(r"\{([^{}]*)\}|([^{}]+)")
_DATE = re.compile(rf"(?:%[{_DIRECTIVES}]|[^%])+")
_SEQ = re.compile(r"0([1-9])")
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Field(StrEnum):
    """What stands between braces; TEXT stands outside."""

    TEXT = "text"
    SITE = "site"
    LINE = "line"
    DATE = "date"
    SEQ = "seq"
    CHECK = "check"


class Part(NamedTuple):
    """A field with what follows its colon; of TEXT the text."""

    field: Field
    spec: str


@dataclass(frozen=True, slots=True)
class Series:
    """Numbers that differ in their sequence only: 1 to `last`, in `width` digits."""

    before: str
    width: int
    after: str
    checked: bool

    @property
    def name(self) -> str:
        """Equal for equal series."""
        return f"{self.before}{{seq:0{self.width}}}{self.after}{'{check}' if self.checked else ''}"

    @property
    def last(self) -> int:
        return int(10**self.width - 1)

    def code(self, sequence: int) -> str:
        """The lot code of a sequence number."""
        code = f"{self.before}{sequence:0{self.width}}{self.after}"
        return code + check_character(code) if self.checked else code


@dataclass(frozen=True, slots=True)
class Template:
    """A template that has been understood."""

    text: str
    parts: tuple[Part, ...]

    def series(self, gtin: str, *, site: str = "", line: str = "", day: date | None = None) -> Series:
        """The series for what is made. Raises Rejected: a word that is missing, a code that no lot can have."""
        given = {Field.SITE: site, Field.LINE: line}
        sides: list[list[str]] = [[], []]
        width = 0
        for field, spec in self.parts:
            if field is Field.SEQ:
                width = int(spec)
            elif field is not Field.CHECK:
                sides[bool(width)].append(spec if field is Field.TEXT else _filled(field, spec, given=given, day=day))
        series = Series("".join(sides[0]), width, "".join(sides[1]), self.parts[-1].field is Field.CHECK)
        lot_key(gtin, series.code(series.last))
        return series


def _filled(field: Field, spec: str, *, given: dict[Field, str], day: date | None) -> str:
    if field is Field.DATE and day is not None:
        return day.strftime(spec)
    if given.get(field):
        return given[field]
    name = "production_date" if field is Field.DATE else field.value
    raise Rejected(Reason.SCHEMA_INVALID, f"Expected a {name} for the template, got none.", field=name)


def parse_template(text: str) -> Template:
    """A template: text, {site}, {line}, {date:%y%j}, once {seq:04}, last if at all {check}. Raises Rejected."""
    if not 0 < len(text) <= LONGEST:
        raise _refusal(f"1 to {LONGEST} characters", f"{len(text)}")
    parts = tuple(_parts(text))
    fields = [part.field for part in parts]
    if fields.count(Field.SEQ) != 1:
        raise _refusal("{seq:0N} once", f"it {fields.count(Field.SEQ)} times in {text!r}")
    if Field.CHECK in fields[:-1]:
        raise _refusal("{check} once, at the end", repr(text))
    return Template(text, parts)


def _parts(text: str) -> Iterator[Part]:
    at = 0
    for found in _PIECE.finditer(text):
        if found.start() != at:
            break
        at = found.end()
        yield Part(Field.TEXT, found[2]) if found[1] is None else _field(found[1])
    if at != len(text):
        raise _refusal("a closing brace for each opening one", f"{text[at]!r} at character {at + 1} of {text!r}")


def _field(text: str) -> Part:
    name, colon, spec = text.partition(":")
    match name:
        case Field.SITE | Field.LINE | Field.CHECK if not colon:
            return Part(Field(name), "")
        case Field.DATE if _DATE.fullmatch(spec):
            return Part(Field.DATE, spec)
        case Field.DATE:
            known = ", ".join(f"%{directive}" for directive in _DIRECTIVES)
            raise _refusal(f"{{date:…}} with {known}", f"{{{text}}}")
        case Field.SEQ if digits := _SEQ.fullmatch(spec):
            return Part(Field.SEQ, digits[1])
        case Field.SEQ:
            raise _refusal("{seq:0N}, N digits from 1 to 9", f"{{{text}}}")
    raise _refusal("{site}, {line}, {date:…}, {seq:0N} or {check}", f"{{{text}}}")


def check_character(code: str) -> str:
    """ISO/IEC 7064 MOD 37,36 over the letters and digits of a code, capitals or not; other characters count nothing."""
    product = 36
    for character in code.upper():
        if character in _ALPHABET:
            product = ((product + _ALPHABET.index(character)) % 36 or 36) * 2 % 37
    return _ALPHABET[(37 - product) % 36]


def _refusal(expected: str, got: str) -> Rejected:
    return Rejected(Reason.SCHEMA_INVALID, f"Expected {expected}, got {got}.", field="template")
