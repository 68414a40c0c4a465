"""What a local store is: a copy of changelog partitions on the disk of a worker, that a restart reads less of Kafka.

The changelog stays the truth. A store that is missing, older, damaged or somebody else's costs time and nothing else.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

Contents = Iterable[tuple[bytes, bytes | None]]  # changelog keys and values; None deletes


class StoreFailed(Exception):
    """A store cannot be opened, read or written, or has not all that it says it has."""


class Store(Protocol):
    """The copies of a changelog's partitions. Every method may raise StoreFailed.

    `begin` comes before each load, in a thread: it looks whether the topic is still the one that the copies are of.
    `through` is the offset up to which a copy is whole, None when there is none of this very topic. `write` is atomic;
    with `through` None the copy is not whole until a later write says so. A write outlives the process, and may be
    lost with the machine, but never alone: then those after it are lost too.
    """

    def begin(self) -> None: ...

    def through(self, number: int) -> int | None: ...

    def items(self, number: int) -> Iterator[tuple[bytes, bytes]]: ...

    def write(self, number: int, records: Contents, *, through: int | None) -> None: ...

    def clear(self, number: int) -> None: ...
