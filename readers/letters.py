"""Dead letters as they lie in Kafka: copies are one, parts are one, and what a person has done about each is known."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import chain

from pydantic import ValidationError

from lotstream.runtime.errors import Reason, Rejected
from lotstream.runtime.log import LogRecord, read_log
from lotstream.runtime.settings import Settings
from lotstream.schemas.base import decode, first_error
from lotstream.schemas.operations import (
    OPERATION,
    Action,
    DeadLetter,
    Headers,
    Operation,
    letter_digest,
    original,
    parse_dead_letter,
)
from lotstream.schemas.topics import DEAD_LETTERS, OPERATIONS

_PART = re.compile(r"(.*):(\d+)/(\d+)", re.DOTALL)


class LetterMissing(LookupError):
    """No dead letter has that id."""


class State(StrEnum):
    """What has become of a letter."""

    OPEN = "open"
    REPLAYED = "replayed"
    DROPPED = "dropped"


_STATES = {Action.REPLAY: State.REPLAYED, Action.DROP: State.DROPPED}


@dataclass(frozen=True)
class Letter:
    """One dead letter. ``id`` is topic:partition:offset of its first copy that was read; ``at_us`` when it was written.

    ``key`` and ``headers`` are those of the record that it was; ``whole`` is false while parts are missing.
    """

    id: str
    at_us: int
    said: DeadLetter
    value: bytes
    key: bytes | None = None
    headers: Headers = ()
    whole: bool = True

    @cached_property
    def digest(self) -> str:
        """Equal for every copy."""
        return letter_digest(self.said, self.value)

    @property
    def place(self) -> str:
        """The topic that it stood in, or the door of the gateway at which it came."""
        return self.said.origin.partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which letters are meant; what is left out is any. Instants in us since the epoch, ``until_us`` excluded."""

    reasons: frozenset[str] = frozenset()
    source: str = ""
    stage: str = ""
    places: frozenset[str] = frozenset()
    since_us: int = 0
    until_us: int | None = None

    def holds(self, letter: Letter) -> bool:
        """Whether a letter is meant."""
        said = letter.said
        return (
            (not self.reasons or said.reason in self.reasons)
            and self.source in ("", said.source)
            and self.stage in ("", said.stage)
            and (not self.places or letter.place in self.places)
            and letter.at_us >= self.since_us
            and (self.until_us is None or letter.at_us < self.until_us)
        )


@dataclass(frozen=True, slots=True)
class Deeds:
    """What people did, oldest first, by the letter's digest; of parks, by the record."""

    by_letter: Mapping[str, list[Operation]] = field(default_factory=dict)
    parks: Mapping[str, Operation] = field(default_factory=dict)

    def state(self, letter: Letter) -> State:
        """What the last deed made of a letter."""
        done = self.by_letter.get(letter.digest)
        return _STATES[done[-1].action] if done else State.OPEN


class Letterbox:
    """Reads dead letters and deeds. Every method raises Transient when the brokers do not answer."""

    def __init__(self, settings: Settings) -> None:
        self._kafka = settings.kafka
        self.topic = settings.topics.name(DEAD_LETTERS)
        self._operations = settings.topics.name(OPERATIONS)

    def letters(self, wanted: Filter, *, report: Callable[[int], None] = lambda _: None) -> Iterator[Letter]:
        """The letters meant, each once, oldest first within a partition; ``report`` hears how many were read."""
        seen: set[str] = set()
        records = read_log(self._kafka, self.topic, since_us=wanted.since_us)
        for letter in assembled(_reported(records, report)):
            if wanted.holds(letter) and letter.digest not in seen:
                seen.add(letter.digest)
                yield letter

    def letter(self, name: str) -> Letter:
        """The letter of an id. Raises LetterMissing."""
        partition, offset = self._parsed(name)
        records = read_log(self._kafka, self.topic, starts={partition: offset})
        first = next(records, None)
        if first is not None and first.offset == offset:
            for letter in assembled(chain([first], records)):
                if letter.id == first.where:
                    return letter
        raise LetterMissing(f"Expected a dead letter at {name}, got none. See: lotstream dlq list.")

    def deeds(self) -> Deeds:
        """What people did."""
        by_letter: dict[str, list[Operation]] = {}
        parks: dict[str, Operation] = {}
        for record in read_log(self._kafka, self._operations):
            try:
                operation = decode(OPERATION, record.value)
            except Rejected:
                continue  # of a later version
            if operation.action is Action.PARK:
                parks[operation.subject] = operation
            else:
                by_letter.setdefault(operation.digest, []).append(operation)
        for done in by_letter.values():
            done.sort(key=lambda operation: operation.at_us)
        return Deeds(by_letter, parks)

    def _parsed(self, name: str) -> tuple[int, int]:
        """(partition, offset) of topic:partition:offset, or of partition:offset alone. Raises LetterMissing."""
        *topic, partition, offset = name.split(":") if ":" in name else ("", "", "")
        known = topic in ([], [self.topic], [DEAD_LETTERS])
        if not (known and all(word.isascii() and word.isdecimal() for word in (partition, offset))):
            raise LetterMissing(f"Expected {self.topic}:PARTITION:OFFSET, got {name!r}. See: lotstream dlq list.")
        return int(partition), int(offset)


def assembled(records: Iterable[LogRecord]) -> Iterator[Letter]:
    """Letters of records; one that came in several parts when it is whole, else as far as it goes, at the end."""
    waiting: dict[tuple[int, str], list[Letter]] = {}
    for record in records:
        letter = letter_of(record)
        part = _PART.fullmatch(letter.said.origin)
        if letter.said.stage != "gateway" or part is None:
            yield letter
            continue
        whole, number, parts = part[1], int(part[2]), int(part[3])
        held = waiting.setdefault((record.partition, whole), [])
        if number == len(held) + 1:
            held.append(letter)
        if len(held) == parts:
            yield _joined(waiting.pop((record.partition, whole)), origin=whole)
    for (_, whole), held in waiting.items():
        if held:
            yield _joined(held, origin=whole, complete=False)


def _joined(parts: list[Letter], *, origin: str, complete: bool = True) -> Letter:
    first = parts[0]
    said = first.said.model_copy(update={"origin": origin})
    raw = b"".join(part.value for part in parts)
    return Letter(first.id, first.at_us, said, raw, first.key, first.headers, complete)


def letter_of(record: LogRecord) -> Letter:
    """One record as a letter; one whose headers are not understood is kept with what can be said of it."""
    try:
        said = parse_dead_letter(record.headers)
    except ValidationError as error:
        name, detail = first_error(error)
        said = DeadLetter(
            reason=Reason.SCHEMA_INVALID,
            detail=detail,
            field=name,
            source="unknown",
            stage="unknown",
            origin=record.where,
            received_us=record.timestamp_us,
        )
    return Letter(record.where, record.timestamp_us, said, record.value or b"", *original(record.headers))


def _reported(records: Iterable[LogRecord], report: Callable[[int], None]) -> Iterator[LogRecord]:
    for count, record in enumerate(records, 1):
        if count % 10_000 == 0:
            report(count)
        yield record
