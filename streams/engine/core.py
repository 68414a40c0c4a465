"""What a stage is, in the words that the engine and the stages share.

A *stage* reads some topics and keeps one *core* per partition number: pure state with a decision function.
The engine moves records into cores and outputs out of them; a core never sees a clock, a socket or a
coroutine. All source topics of a stage, its changelog and therefore its cores have the same number of
partitions.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, Self

from lotstream.streams.engine.config import Jumped

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One message of a source topic.

    `timestamp_us` is the broker's append time, microseconds since the epoch.
    """

    topic: str
    partition: int
    offset: int
    timestamp_us: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Rows(Protocol):
    """The content of an output message while it is being collected from several input messages.

    `len()` is the number of rows; `extend` takes over the rows of a later output; `encode` is called once,
    when the message is sent. From `apply` on the engine owns the object: a core must not touch it again.
    """

    def __len__(self) -> int: ...

    def extend(self, other: Self) -> None: ...

    def encode(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Output:
    """Rows (or one finished message) for one partition of a topic.

    Outputs for one (topic, partition) are delivered in the order in which they were returned. Rows with equal
    key and headers that follow each other may be joined into one message; bytes are always a message of their
    own. `absolute` says that the output stands for every earlier one of its key: while those wait to be sent, it
    takes their place.
    """

    topic: str
    partition: int
    rows: Rows | bytes
    key: bytes | None = None
    headers: Headers = ()
    absolute: bool = False


class Core(Protocol):
    """The state of one partition number over all sources of a stage. Pure: no I/O, no clock.

    `load` comes once, before the first `apply`, with every item that `changes` ever reported and did not delete.
    `apply` never raises for bad data (that becomes an output, a dead letter): an exception is a bug and ends the
    process. `changes` returns what changed since it was last called, after one record or several; None deletes the key.

    MESSAGE: after a crash records come again, on a state that may contain them and records after them. Whatever that
    state contains has been published before it was stored, so a core may pass over what it knows already; what it
    publishes again must be equal in effect. CHECKPOINT: the state is that of the last checkpoint, every record after
    it comes again exactly once, and must give the same outputs again.
    """

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None: ...

    def apply(self, record: Record) -> Iterable[Output]: ...

    def changes(self) -> Mapping[bytes, bytes | None]: ...


class Acknowledge(StrEnum):
    """When a source record counts as done.

    MESSAGE: when its outputs and its changes are delivered; after a crash it may be applied a second time.
    CHECKPOINT: when a snapshot that contains it is delivered; the state never sees a record twice, while
    outputs made after the last snapshot are made again, in the same order and with the same content.
    """

    MESSAGE = "message"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One consumer group: source topics in, outputs out, state in a changelog topic. Topic names are
    complete.

    `merge(key, older, newer)` joins two values of one key when the state is a lattice: records of an owner
    that did not know it had been replaced are then merged at load. Without it they are ignored.
    `idle(partition)` makes a record to append where nothing came for `idle_after_s` seconds (a tick). `gone` makes the
    message that says that records fell below the log's start before they were read; it may come twice. Partition n of
    the `exclusive` topics is written by the owner of n alone; `restate(core)` says again all that stands in them, when
    a replaced owner has written there too late.
    """

    name: str
    sources: tuple[str, ...]
    partitions: int
    build: Callable[[int], Core]
    changelog: str | None
    acknowledge: Acknowledge
    merge: Callable[[bytes, bytes, bytes], bytes] | None = None
    idle: Callable[[int], Output] | None = None
    idle_after_s: float = 1.0
    gone: Callable[[Jumped], Output] | None = None
    exclusive: tuple[str, ...] = ()
    restate: Callable[[Core], Iterable[Output]] | None = None

    def __post_init__(self) -> None:
        if not self.sources:
            raise ValueError(f"Expected at least one source for stage {self.name!r}, got none.")
        if self.partitions < 1:
            raise ValueError(f"Expected partitions >= 1 for stage {self.name!r}, got {self.partitions!r}.")
        if self.acknowledge is Acknowledge.CHECKPOINT and self.changelog is None:
            raise ValueError(f"Expected a changelog for stage {self.name!r} with checkpoints, got None.")


JOINED_ROWS = 2_000  # with 400 bytes a row still below the 1 MiB that a broker takes unless it is told otherwise


def joinable(earlier: Output, later: Output) -> bool:
    """Whether two outputs that follow each other in one (topic, partition) may become one message."""
    return (
        not isinstance(earlier.rows, bytes)
        and not isinstance(later.rows, bytes)
        and not later.absolute
        and earlier.key == later.key
        and earlier.headers == later.headers
        and len(earlier.rows) + len(later.rows) <= JOINED_ROWS
    )


def join(earlier: Output, later: Output) -> None:
    """Move the rows of `later` into `earlier`; only for outputs that are `joinable`."""
    if isinstance(earlier.rows, bytes) or isinstance(later.rows, bytes):
        raise TypeError("Expected two outputs with rows, got finished messages.")
    earlier.rows.extend(later.rows)


def encode(output: Output) -> bytes:
    """The value of the message that an output becomes."""
    return output.rows if isinstance(output.rows, bytes) else output.rows.encode()


def coalesce(outputs: Iterable[Output]) -> list[Output]:
    """Join the rows for each (topic, partition) as far as order, key and headers allow."""
    last: dict[tuple[str, int], Output] = {}
    messages: list[Output] = []
    for output in outputs:
        earlier = last.get((output.topic, output.partition))
        if earlier is not None and joinable(earlier, output):
            join(earlier, output)
        else:
            messages.append(output)
            last[output.topic, output.partition] = output
    return messages
