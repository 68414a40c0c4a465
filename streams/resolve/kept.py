"""Sightings kept for later: those of unknown tags until a binding arrives, those of logistic units for packing lists.

Bounded: the newest ``depth`` facts of a tag, ranked by key alone, ``limit`` tags, and ``age_us`` since the newest was
received. A fact is kept at its highest version. What a binding released is kept on, so that a replayed binding
releases it again.
"""

from collections.abc import Iterable

import orjson

from lotstream.schemas.partitions import tag_neighbourhood
from lotstream.schemas.sightings import Context, Declaration, Edition, Form, Sighting
from lotstream.streams.serials import serial_of

BLOCK_BITS = 12  # as in schemas.partitions
FactKey = tuple[str, str, int, str, str, tuple[str, ...]]
NEVER = 1 << 62
SETTLED = 5_000  # records after which a release is certainly delivered: more than an engine has in flight


class Kept:
    """Sightings by tag."""

    def __init__(self, prefix: bytes, *, depth: int, limit: int, age_us: int = NEVER) -> None:
        self._prefix = prefix
        self._depth = depth
        self._limit = limit
        self._age_us = age_us
        self._due_us = 0
        self._rows: dict[str, dict[FactKey, bytes]] = {}
        self._near: dict[str, set[str]] = {}
        self._dirty: dict[bytes, bytes | None] = {}
        self._released: dict[str, int] = {}
        self._seen = 0
        self.horizon_us = -1  # newest event time of an evicted sighting that no binding had released

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, tag: str) -> bool:
        return tag in self._rows

    def find(self, row: Sighting) -> Sighting | None:
        """The kept version of the same fact."""
        rows = self._rows.get(row.tag)
        raw = rows.get(row.fact) if rows else None
        return None if raw is None else decode_row(raw)

    def rows(self, tag: str) -> list[Sighting]:
        """Kept sightings of a tag."""
        return [decode_row(raw) for raw in self._rows.get(tag, {}).values()]

    def tags_of(self, subject: str, *, first: int, last: int) -> list[str]:
        """Kept tags of a binding: those of a serial range, or the one unit (first < 0)."""
        if first < 0:
            return [subject] if subject in self._rows else []
        gtin, blocks = subject[3:17], range(first >> BLOCK_BITS, (last >> BLOCK_BITS) + 1)
        near = (tag for block in blocks for tag in self._near.get(f"{gtin}/{block}", ()))
        return sorted(tag for tag in near if first <= serial_of(tag) <= last)

    def tick(self, now_us: int) -> None:
        """One more record was applied, appended at ``now_us``. What is too old goes now and then."""
        self._seen += 1
        if now_us >= self._due_us and self._age_us < NEVER:
            self._due_us = now_us + self._age_us // 16
            received = {tag: max(row.edition.recorded_us for row in self.rows(tag)) for tag in self._rows}
            self._give_up([tag for tag, newest in received.items() if newest < now_us - self._age_us])

    def release(self, tag: str) -> None:
        """A binding has been found for a tag: it may go first when room is needed, though not at once."""
        self._released[tag] = self._seen

    def put(self, row: Sighting) -> bool:
        """Keep a version unless a higher one is kept or its key ranks too low; whether it is kept now."""
        rows = self._of(row.tag)
        fact = row.fact
        known = rows.get(fact)
        if known is not None and decode_row(known).version > row.version:
            return False
        rows[fact] = self._write(fact, encode_row(row))
        if len(rows) > self._depth:
            lowest = min(rows, key=_rank)
            del rows[lowest]
            self._write(lowest, None)
            if lowest == fact:
                return False
        if len(self._rows) > self._limit:
            self._evict()
        return True

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Sightings from the changelog."""
        for key, value in items:
            if len(key) == 1:
                self.horizon_us = int(value)
                continue
            tag, point, slot, lane, origin, path = orjson.loads(key[1:])
            self._of(tag)[tag, point, slot, lane, origin, tuple(path)] = value

    def changes(self) -> dict[bytes, bytes | None]:
        """What changed since last asked."""
        dirty, self._dirty = self._dirty, {}
        return dirty

    def _of(self, tag: str) -> dict[FactKey, bytes]:
        rows = self._rows.get(tag)
        if rows is None:
            rows = self._rows[tag] = {}
            self._near.setdefault(tag_neighbourhood(tag), set()).add(tag)
        return rows

    def _forget(self, tag: str) -> dict[FactKey, bytes]:
        near = tag_neighbourhood(tag)
        self._near[near].discard(tag)
        if not self._near[near]:
            del self._near[near]
        return self._rows.pop(tag)

    def _write(self, fact: FactKey, value: bytes | None) -> bytes:
        self._dirty[self._prefix + orjson.dumps(fact)] = value
        return value or b""

    def _evict(self) -> None:
        settled = self._seen - SETTLED
        newest = {tag: max(fact[2] for fact in rows) for tag, rows in self._rows.items()}
        order = sorted(newest, key=lambda tag: (self._released.get(tag, settled) >= settled, newest[tag], tag))
        self._give_up(order[: self._limit // 10 + 1])

    def _give_up(self, tags: list[str]) -> None:
        for tag in tags:
            rows = self._forget(tag)
            if self._released.pop(tag, None) is None:
                self.horizon_us = max(self.horizon_us, *(decode_row(raw).last_us for raw in rows.values()))
                self._dirty[self._prefix] = str(self.horizon_us).encode()
            for fact in rows:
                self._write(fact, None)


def _rank(fact: FactKey) -> tuple[int, str, str, str, tuple[str, ...]]:
    return fact[2], fact[1], fact[3], fact[4], fact[5]


def encode_row(row: Sighting) -> bytes:
    """A sighting as a JSON array; tuples with names become plain ones."""
    context, location, declaration, *form = row.form
    form = [tuple(context), location, tuple(declaration), *form]
    return orjson.dumps((row.tag, form, tuple(row.edition), *row[3:]))


def decode_row(raw: bytes) -> Sighting:
    """A sighting of `encode_row`."""
    tag, (context, location, declaration, lane, origin, path, *certainty), (version, recorded_us), *rest = orjson.loads(
        raw
    )
    form = Form(Context(*context), location, Declaration(*declaration), lane, origin, tuple(path), *certainty)
    return Sighting(tag, form, Edition(tuple(version), recorded_us), *rest)


def merge_row(older: bytes, newer: bytes) -> bytes:
    """The higher version of two of one fact."""
    return older if decode_row(older).version > decode_row(newer).version else newer
