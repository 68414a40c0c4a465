"""How an engine reaches its brokers, how patient it is, and what it tells about itself."""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from lotstream.streams.engine.store import Store


class ExitCode(IntEnum):
    """Why the process ended by itself. Nothing that was not delivered has been acknowledged, so a restart is safe."""

    BUG = 70  # a core or the engine raised
    HOLE = 71  # offsets of a source are missing, or the source is shorter than what was read
    STALLED = 72  # the process stood still for so long that another may own its partitions
    FENCED = 73  # somebody else wrote to the changelog of an owned partition
    UNDELIVERED = 74  # a message failed or was not taken in time
    AWAY = 75  # no broker answered in time
    STUCK = 76  # asked to stop, and the clients did not end in time


@dataclass(frozen=True, slots=True)
class Assigned:
    """The partition numbers that a stage owns from now on; they are ready when `Ready` says so."""

    stage: str
    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Loaded:
    """State of newly owned partitions is in memory: how many changelog records were read, in how many seconds."""

    stage: str
    partitions: tuple[int, ...]
    records: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Ready:
    """Every owned partition is loaded and records flow."""

    stage: str
    partitions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Revoked:
    """Partitions are given back; `drained` says whether everything under way was finished in time."""

    stage: str
    drained: bool


@dataclass(frozen=True, slots=True)
class Applied:
    """Records applied since the last event of this kind, and the seconds that the cores took for them."""

    stage: str
    records: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Committed:
    """Offsets that Kafka took, per (topic, partition), and how many records there are beyond them."""

    stage: str
    offsets: Mapping[tuple[str, int], int]
    behind: int


@dataclass(frozen=True, slots=True)
class Jumped:
    """The records [expected, start) of a source partition are below the start of its log and were never read."""

    stage: str
    topic: str
    partition: int
    expected: int
    start: int


@dataclass(frozen=True, slots=True)
class Restated:
    """Somebody else wrote where only the owner of a partition writes: what stands there was said again."""

    stage: str
    partition: int
    outputs: int


@dataclass(frozen=True, slots=True)
class StoreLeft:
    """What the local store has of the changelog is not used, or is not kept up any more; Kafka has all of it."""

    stage: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The process ends now, with this code."""

    stage: str
    code: ExitCode
    reason: str


Event = Assigned | Loaded | Ready | Revoked | Applied | Committed | Jumped | Restated | StoreLeft | Ended


def ignore(event: Event) -> None:
    """The listener of those who do not want to know."""


def pass_by(stage: str, step: str) -> None:
    """Nothing happens between two steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """`brokers` are host:port. Times are seconds.

    `group_prefix` + stage name is the consumer group. `instance` is the name that this process has in its groups
    (static membership): a restart under the same name within `session_timeout_s` moves no partition. Without it every
    start and stop moves partitions. `on_event` is called in the event loop and must return at once. `on_step` is called
    with stage and step between every two steps: a test may let the process die there. `advice` says what a person can
    do about the record 'topic:partition:offset' at which a core raised. `store` opens the local store for a changelog
    topic, in a thread; without it state is in memory and in Kafka alone.
    """

    brokers: tuple[str, ...]
    group_prefix: str
    instance: str | None = None
    ssl_context: ssl.SSLContext | None = None
    sasl_mechanism: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    linger_s: float = 0.005
    checkpoint_s: float = 1.0
    commit_s: float = 1.0
    session_timeout_s: float = 10.0
    drain_s: float = 5.0
    delivery_timeout_s: float = 120.0
    watch_s: float = 30.0
    fetch_wait_s: float = 0.05
    fetch_bytes: int = 1 << 20
    buffered_records: int = 512
    compression: str | None = None
    on_event: Callable[[Event], None] = ignore
    on_step: Callable[[str, str], None] = pass_by
    advice: Callable[[str], str] = lambda _: ""
    store: Callable[[str], Store] | None = None

    def __post_init__(self) -> None:
        if not self.brokers:
            raise ValueError("Expected at least one broker, got none.")
        if self.drain_s >= self.session_timeout_s:
            raise ValueError(f"Expected drain_s < {self.session_timeout_s!r}, got {self.drain_s!r}.")
