"""What each application identifier may hold and what it may stand beside: the table, parsed once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lotstream.schemas.identifiers.ai_table import TABLE
from lotstream.schemas.identifiers.measures import measure_lines

_COMPONENT = re.compile(r"(\[?)([NXYZ])(\.\.)?([0-9]+)\]?((?:,[a-z0-9]+)*)")
_LENGTHS = (2, 3, 4)


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a value: its character set (N, X, Y, Z), its length, its content checks."""

    charset: str
    shortest: int
    longest: int
    optional: bool
    linters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AiSpec:
    """One application identifier."""

    ai: str
    title: str
    components: tuple[Component, ...]
    fixed: bool  # ends by its length: no FNC1 needed behind it
    attribute: bool  # may be a data attribute of a Digital Link
    requires: tuple[tuple[tuple[str, ...], ...], ...]  # all of: one of: all of
    excludes: tuple[str, ...]
    qualifiers: tuple[tuple[str, ...], ...] | None  # None: no Digital Link key

    @property
    def longest(self) -> int:
        """Greatest length of the value."""
        return sum(part.longest for part in self.components)

    @property
    def shortest(self) -> int:
        """Smallest length of the value."""
        return sum(part.shortest for part in self.components if not part.optional)


def find_ai(text: str, start: int = 0, *, length: int = 0) -> AiSpec | None:
    """The application identifier (of `length` digits, 0: any) with which `text` goes on at `start`.

    The set is prefix-free: at most one fits.
    """
    for size in (length,) if length else _LENGTHS:
        spec = SPECS.get(text[start : start + size])
        if spec is not None:
            return spec
    return None


def matches(pattern: str, ai: str) -> bool:
    """Whether an AI falls under a pattern such as `310n`, in which n stands for any digit."""
    return len(pattern) == len(ai) and all(p in ("n", c) for p, c in zip(pattern, ai, strict=True))


def _component(text: str) -> Component:
    found = _COMPONENT.fullmatch(text)
    assert found is not None, text
    bracket, charset, dots, length, linters = found.groups()
    longest = int(length)
    return Component(charset, 1 if dots else longest, longest, bool(bracket), tuple(filter(None, linters.split(","))))


def _names(word: str) -> Iterator[str]:
    first, _, last = word.partition("-")
    for number in range(int(first), int(last or first) + 1):
        yield f"{number:0{len(first)}d}"


def _qualifiers(words: list[str]) -> tuple[tuple[str, ...], ...] | None:
    for word in words:
        if word == "dl":
            return ((),)
        if word.startswith("dl="):
            return tuple(tuple(choice.split(",")) for choice in word[3:].split("|"))
    return None


def _specs(line: str) -> Iterator[AiSpec]:
    rule, _, title = line.partition(" # ")
    names, flags, *words = rule.split()
    requires = tuple(
        tuple(tuple(choice.split("+")) for choice in word[4:].split(",")) for word in words if word.startswith("req=")
    )
    excludes = tuple(ai for word in words if word.startswith("ex=") for ai in word[3:].split(","))
    components = tuple(_component(word) for word in words if _COMPONENT.fullmatch(word))
    for ai in _names(names):
        yield AiSpec(
            ai=ai,
            title=title,
            components=components,
            fixed="*" in flags,
            attribute="?" in flags,
            requires=requires,
            excludes=excludes,
            qualifiers=_qualifiers(words),
        )


SPECS = {spec.ai: spec for line in (*TABLE.strip().splitlines(), *measure_lines()) for spec in _specs(line)}
