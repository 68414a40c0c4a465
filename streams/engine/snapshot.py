"""Snapshots in a compacted changelog that are whole or not there at all.

Every item has two places, copy A and copy B. A snapshot writes what changed into the copy that the last marker does
*not* stand on, item by item, each value with the snapshot's generation in front; then comes a marker with the
generation and, per source topic, the offset that the snapshot has been applied through. What counts is, per item, the
copy with the highest generation not above the newest marker's. A crash between any two records leaves the last whole
snapshot as it was. What a broken-off snapshot left behind is deleted at load, before the next marker could seem to
name it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lotstream.streams.engine.changelog import FENCE, ChangelogRecord, Fences, Rewrites

MARKER = b"M"
COPY_A = b"A"
COPY_B = b"B"
_STORED = b"\x01"
_DELETED = b"\x00"


@dataclass(frozen=True, slots=True)
class Marker:
    """A whole snapshot: `through` is, per source topic, the first offset that is not in it."""

    generation: int
    through: Mapping[str, int]

    def encode(self) -> bytes:
        return json.dumps({"generation": self.generation, "through": dict(self.through)}, sort_keys=True).encode()


def parse_marker(value: bytes) -> Marker:
    read = json.loads(value)
    return Marker(int(read["generation"]), {str(topic): int(offset) for topic, offset in read["through"].items()})


def other(copy: bytes | None) -> bytes:
    """The copy to write next when the last marker stands on `copy`."""
    return COPY_B if copy == COPY_A else COPY_A


@dataclass(frozen=True, slots=True)
class _Stored:
    generation: int
    value: bytes | None


def _encode(generation: int, value: bytes | None) -> bytes:
    return generation.to_bytes(8, "big") + (_DELETED if value is None else _STORED + value)


def _decode(raw: bytes) -> _Stored:
    return _Stored(int.from_bytes(raw[:8], "big"), raw[9:] if raw[8:9] == _STORED else None)


class SnapshotWriter:
    """Makes the records of the next snapshot. One at a time: `records`, then `marker`, then `confirm`."""

    def __init__(self, *, generation: int, copies: dict[bytes, bytes] | None = None) -> None:
        self.generation = generation
        self._copies = copies if copies is not None else {}
        self._deleted: dict[bytes, bytes] = {}
        self._moved: dict[bytes, bytes] = {}
        self._removed: dict[bytes, bytes] = {}
        self._cleaned: list[bytes] = []

    def records(self, changes: Mapping[bytes, bytes | None]) -> Iterator[tuple[bytes, bytes | None]]:
        """Changelog keys and values to be delivered before the marker, in this order."""
        self._moved, self._removed, self._cleaned = {}, {}, []
        for key, copy in self._deleted.items():
            if key not in changes:
                # The old value goes first: were the deletion gone before it, it would come back to life.
                yield other(copy) + key, None
                yield copy + key, None
                self._cleaned.append(key)
        for key, value in changes.items():
            stands = self._copies.get(key)
            if value is None and (stands is None or key in self._deleted):
                continue
            copy = other(stands)
            yield copy + key, _encode(self.generation + 1, value)
            (self._removed if value is None else self._moved)[key] = copy

    def marker(self, through: Mapping[str, int]) -> Marker:
        return Marker(self.generation + 1, through)

    def confirm(self) -> None:
        """The marker is delivered: its copies are the ones that count."""
        self.generation += 1
        for key in self._cleaned:
            del self._deleted[key], self._copies[key]
        for key, copy in self._moved.items():
            self._copies[key] = copy
            self._deleted.pop(key, None)
        for key, copy in self._removed.items():
            self._copies[key] = self._deleted[key] = copy


@dataclass(slots=True)
class SnapshotReplay:
    """Finds the last whole snapshot while a changelog partition is read in order. Stale records are ignored."""

    marker: Marker | None = None
    _stored: dict[bytes, bytes] = field(default_factory=dict)
    _marker_value: bytes | None = None
    fences: Fences = field(default_factory=Fences)
    _touched: set[bytes] = field(default_factory=set)

    def resume(self, kept: Iterable[tuple[bytes, bytes]]) -> None:
        """Begin with what a local store has, instead of the records it was made of."""
        for key, value in kept:
            if key == FENCE:
                self.fences.resume(value)
            elif key == MARKER:
                self._mark(value)
            else:
                self._stored[key] = value

    def held(self, key: bytes) -> bytes | None:
        """What a local store keeps of a changelog key."""
        if key == FENCE:
            return self.fences.encode()
        return self._marker_value if key == MARKER else self._stored.get(key)

    def _mark(self, value: bytes | None) -> None:
        self._marker_value = value
        self.marker = None if value is None else parse_marker(value)

    def take(self, record: ChangelogRecord) -> None:
        passes = self.fences.passes(record)
        kind = record.key[:1]
        if kind not in (MARKER, COPY_A, COPY_B):
            return
        if not passes:
            self._touched.add(record.key)
        elif kind == MARKER:
            self._mark(record.value)
        elif record.value is None:
            self._stored.pop(record.key, None)
        else:
            self._stored[record.key] = record.value

    def finish(self) -> tuple[dict[bytes, bytes], SnapshotWriter, Rewrites]:
        """The items, the writer of the next snapshot, and what to write again before it (None deletes)."""
        generation = -1 if self.marker is None else self.marker.generation
        rewrites: Rewrites = {key: self._stored.get(key) for key in sorted(self._touched) if key != MARKER}
        best: dict[bytes, tuple[_Stored, bytes]] = {}
        for name, raw in self._stored.items():
            stored, key = _decode(raw), name[1:]
            if stored.generation > generation:
                rewrites[name] = None
            elif key not in best or stored.generation > best[key][0].generation:
                best[key] = (stored, name[:1])
        items = {key: stored.value for key, (stored, _) in best.items() if stored.value is not None}
        copies = {key: copy for key, (stored, copy) in best.items() if stored.value is not None}
        for key, (stored, copy) in best.items():
            if stored.value is None:
                for name in (other(copy) + key, copy + key):
                    rewrites.pop(name, None)
                    rewrites[name] = None
        if MARKER in self._touched:
            rewrites[MARKER] = self._marker_value
        return items, SnapshotWriter(generation=generation, copies=copies), rewrites
