"""What stands in a changelog, and how state comes out of it again.

An owner of a partition begins with a *fence* record, whose value names the process. Its offset is the owner's number;
every later record carries it in the header `owner`. A record numbered lower than a fence before it was written by an
owner that had been replaced and did not know: it is *stale*. Keys have one byte in front: `F` the fence, `K` an item,
`A` and `B` the two copies of an item in snapshots, `M` the marker of the last complete snapshot.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from lotstream.streams.engine.core import Headers

FENCE = b"F"
ITEM = b"K"
OWNER_HEADER = "owner"

Merge = Callable[[bytes, bytes, bytes], bytes]
Rewrites = dict[bytes, bytes | None]


class ChangelogRecord(NamedTuple):
    """One record of a changelog partition; `owner` is the number of who wrote it, -1 when it says none.

    A named tuple: a million of them are made at a load, in a third of the time that a frozen dataclass takes.
    """

    offset: int
    key: bytes
    value: bytes | None
    owner: int


def owner_headers(owner: int) -> Headers:
    return ((OWNER_HEADER, owner.to_bytes(8, "big")),)


@dataclass(frozen=True, slots=True)
class Process:
    """Who fences: the name of a worker (empty when it has none), and a mark that no other process has."""

    name: str
    mark: str

    def encode(self) -> bytes:
        return f"{self.mark} {self.name}".encode()

    def has_twin(self, fences: Mapping[bytes, int], *, since: int) -> bool:
        """Whether another process of the same name has fenced after the offset `since`."""
        mine = self.encode()
        ending = mine[len(self.mark) :]
        return bool(self.name) and any(
            offset > since and fence != mine and fence.endswith(ending) for fence, offset in fences.items()
        )


def parse_owner(headers: Headers) -> int:
    """The number in a record's headers; -1 when there is none, so that such a record counts as stale."""
    for name, value in headers:
        if name == OWNER_HEADER:
            return int.from_bytes(value, "big")
    return -1


def encode_fence(offset: int, process: bytes) -> bytes:
    """A fence as a local store keeps it, where offsets are not known otherwise."""
    return offset.to_bytes(8, "big") + process


class Fences:
    """Tells stale records from others while a changelog partition is read in order.

    `seen` has, per process that fenced, the offset of its last fence.
    """

    __slots__ = ("newest", "seen")

    def __init__(self) -> None:
        self.newest = -1
        self.seen: dict[bytes, int] = {}

    def passes(self, record: ChangelogRecord) -> bool:
        """Whether the record is its owner's to write; a fence record passes and counts from now on."""
        if record.key == FENCE:
            self.newest = record.offset
            self.seen[record.value or b""] = record.offset
            return True
        return record.owner >= self.newest

    def encode(self) -> bytes:
        """The newest one, as a local store keeps it."""
        return encode_fence(self.newest, next(mark for mark, offset in self.seen.items() if offset == self.newest))

    def resume(self, kept: bytes) -> None:
        """Go on behind a fence that a local store has kept."""
        self.newest = int.from_bytes(kept[:8], "big")
        self.seen[kept[8:]] = self.newest


@dataclass(slots=True)
class ItemReplay:
    """The items of a stage that acknowledges per message.

    Without `merge` stale records are ignored. With it they are merged, and so is what follows on the same key, whose
    writer may not have seen the stale record. A key touched so is written again (`rewrites`), that compaction never
    leaves the stale record as the only one.
    """

    merge: Merge | None = None
    items: dict[bytes, bytes] = field(default_factory=dict)
    fences: Fences = field(default_factory=Fences)
    _touched: set[bytes] = field(default_factory=set)

    def resume(self, kept: Iterable[tuple[bytes, bytes]]) -> None:
        """Begin with what a local store has, instead of the records it was made of."""
        for key, value in kept:
            if key == FENCE:
                self.fences.resume(value)
            else:
                self.items[key[1:]] = value

    def held(self, key: bytes) -> bytes | None:
        """What a local store keeps of a changelog key."""
        return self.fences.encode() if key == FENCE else self.items.get(key[1:])

    def take(self, record: ChangelogRecord) -> None:
        passes = self.fences.passes(record)
        if record.key[:1] != ITEM:
            return
        key = record.key[1:]
        if not passes:
            self._touched.add(key)
            if self.merge is not None and record.value is not None:
                self._merge(key, record.value)
        elif record.value is None:
            if key not in self._touched or self.merge is None:
                self.items.pop(key, None)
        elif key in self._touched and self.merge is not None:
            self._merge(key, record.value)
        else:
            self.items[key] = record.value

    def _merge(self, key: bytes, newer: bytes) -> None:
        older = self.items.get(key)
        self.items[key] = newer if older is None or self.merge is None else self.merge(key, older, newer)

    def rewrites(self) -> Rewrites:
        """Changelog keys to write again before anything else, with their values; None deletes."""
        return {ITEM + key: self.items.get(key) for key in sorted(self._touched)}
