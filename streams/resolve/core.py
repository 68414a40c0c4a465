"""Resolve: tag -> lot, logistic unit -> what is inside it. One partition of sightings.v1 and identity.v1.

State is a lattice (facts at their highest version), and whatever is decided is decided from it: a record applied a
second time decides the same again, with the same or higher versions.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from lotstream.runtime.errors import Rejected
from lotstream.schemas.identity import Binding, Relation, decode_bindings
from lotstream.schemas.partitions import partition_of, tag_partition
from lotstream.schemas.sightings import (
    LotSighting,
    LotSightingRows,
    Named,
    Sighting,
    SightingBatch,
    SightingRows,
    decode_tag_message,
)
from lotstream.schemas.unit_lots import UNIT_LOTS, UnitLots, UnitLotsRows
from lotstream.schemas.unit_parents import UNIT_PARENTS, UnitParents, UnitParentsBatch, UnitParentsRows
from lotstream.streams.engine.core import Output, Record
from lotstream.streams.letters import dead_letter
from lotstream.streams.parts import parts_of
from lotstream.streams.resolve.above import PREFIX as ABOVE
from lotstream.streams.resolve.above import Above, by_lot, links_of, merge_link, passed_down
from lotstream.streams.resolve.bindings import PREFIX, Bindings, merge_fact
from lotstream.streams.resolve.infer import inferred, is_logistic, repacked, require_acyclic, worth
from lotstream.streams.resolve.kept import Kept, merge_row
from lotstream.streams.resolve.lives import Content, Lives

WAITING, PARENTS = b"U", b"P"
EARLY_US = 86_400_000_000  # a tag may be read before its commissioning, as clocks and lines go; not for longer


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveTopics:
    """Complete names of the topics of resolve, and their partition count."""

    identity: str
    sightings: str
    lot_sightings: str
    dead_letters: str
    partitions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveLimits:
    """What one partition remembers."""

    waiting_depth: int = 16
    waiting_tags: int = 20_000
    waiting_age_us: int = 7 * 86_400_000_000
    parent_depth: int = 16
    parents: int = 20_000


class ResolveCore:
    """One partition number."""

    def __init__(self, topics: ResolveTopics, limits: ResolveLimits) -> None:
        self._topics = topics
        self._bindings = Bindings()
        self._waiting = Kept(
            WAITING, depth=limits.waiting_depth, limit=limits.waiting_tags, age_us=limits.waiting_age_us
        )
        self._parents = Kept(PARENTS, depth=limits.parent_depth, limit=limits.parents)
        self._above = Above(limit=limits.waiting_tags)
        self._passed: dict[int, LotSightingRows] = {}
        self._lot_rows: dict[int, list[LotSighting]] = {}
        self._tag_rows: dict[int, list[Sighting]] = {}
        self._told: dict[int, list[UnitLots]] = {}
        self._up: dict[tuple[str, int], list[UnitParents]] = {}  # topic, partition
        self._refused: list[Rejected] = []

    @property
    def waiting(self) -> int:
        """Tags whose sightings are kept until their lot is known."""
        return len(self._waiting)

    @property
    def forgotten_us(self) -> int:
        """Newest event time of a sighting that no binding will release; -1: none."""
        return self._waiting.horizon_us

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """State from the changelog."""
        sorted_: dict[bytes, list[tuple[bytes, bytes]]] = {}
        for key, value in items:
            sorted_.setdefault(key[:1], []).append((key, value))
        self._bindings.load(sorted_.get(PREFIX, ()))
        self._waiting.load(sorted_.get(WAITING, ()))
        self._parents.load(sorted_.get(PARENTS, ()))
        self._above.load(sorted_.get(ABOVE, ()))

    def changes(self) -> Mapping[bytes, bytes | None]:
        """State that changed since last asked."""
        return self._bindings.changes() | self._waiting.changes() | self._parents.changes() | self._above.changes()

    def apply(self, record: Record) -> Iterable[Output]:
        """Lot sightings and inferred sightings of one message, or its dead letter."""
        self._bindings.tick()
        self._waiting.tick(record.timestamp_us)
        self._parents.tick(record.timestamp_us)
        try:
            if record.topic == self._topics.identity:
                self._bind(decode_bindings(record.value), offset=record.offset)
            else:
                message = decode_tag_message(record.value)
                if isinstance(message, UnitParentsBatch):
                    self._hear(message.rows())
                else:
                    self._sight(message)
        except Rejected as rejected:
            self._refused.append(rejected)
        return list(self._flush(record))

    def _sight(self, batch: SightingBatch) -> None:
        """Most rows pass as they are to the one lot of their unit; the others are looked at one by one."""
        lives_of, is_parent, partitions = self._bindings.lives, self._bindings.is_parent, self._topics.partitions
        named: dict[int, Named] = {}
        others: list[int] = []
        for row, tag in enumerate(batch.tag):
            lives = lives_of(tag)
            if not lives.plain or not lives.spans or is_logistic(tag) or is_parent(tag):
                others.append(row)
                continue
            lot = lives.spans[0].lot
            partition = partition_of(lot, partitions)
            into = named.get(partition)
            if into is None:
                into = named[partition] = Named([], [], [])
            into.rows.append(row)
            into.lots.append(lot)
            into.bindings.append(lives.binding)
        self._passed = {partition: LotSightingRows.of(batch, some) for partition, some in named.items()}
        if others:
            rows = batch.rows()
            for row in others:
                self._look_at(rows[row])

    def _look_at(self, row: Sighting) -> None:
        tag = row.tag
        logistic = is_logistic(tag)
        if logistic or self._bindings.is_parent(tag):
            self._sight_parent(row)
        if logistic:
            return
        if not self._place(row, self._bindings.lives(tag)):
            self._waiting.put(row)

    def _place(self, row: Sighting, lives: Lives) -> bool:
        lot = lives.lot_at(row.last_us)
        if lot:
            self._say(lot, lives.binding, row)
        if not lives.plain:
            for other in lives.others_in(row.slot, lot):
                self._say(other, lives.binding, row.elsewhere())
        return bool(lot)

    def _say(self, lot: str, binding: int, row: Sighting) -> None:
        partition = partition_of(lot, self._topics.partitions)
        self._lot_rows.setdefault(partition, []).append(LotSighting(lot, binding, -1, row))

    def _sight_parent(self, row: Sighting) -> None:
        if not worth(row, self._parents.find(row)):
            return
        self._parents.put(row)
        self._infer(inferred(row, self._bindings.contents(row.tag).values()))

    def _infer(self, rows: Iterable[Sighting]) -> None:
        for row in rows:
            try:
                require_acyclic(row)
            except Rejected as rejected:
                self._refused.append(rejected)
                continue
            self._tag_rows.setdefault(tag_partition(row.tag, self._topics.partitions), []).append(row)

    def _bind(self, rows: list[Binding], *, offset: int) -> None:
        for row in rows:
            self._bindings.add(row, offset=offset)
        for row in rows:
            if row.relation == Relation.LOT:
                self._tell(row)
                self._release(row)
        named: dict[str, set[str]] = {}
        for row in rows:
            if row.relation == Relation.CONTENT:
                named.setdefault(row.subject, set()).add(row.object)
        for parent, children in named.items():
            self._repack(parent, offset=offset)
            contents = self._bindings.contents(parent).values()
            self._tell_contents(parent, [content for content in contents if {content.child, ""} & children])

    def _release(self, binding: Binding) -> None:
        """What waited for a lot binding goes out; what had gone out under another lot is retracted there."""
        for tag in self._waiting.tags_of(binding.subject, first=binding.first, last=binding.last):
            lives = self._bindings.lives(tag)
            for row in self._waiting.rows(tag):
                if self._place(row, lives):
                    self._waiting.release(tag)
                for lot in lives.lots - {lives.lot_at(row.last_us)}:
                    self._say(lot, lives.binding, row.elsewhere())
        for link in self._above.within(binding.subject, first=binding.first, last=binding.last):
            self._tell_lots(link)

    def _tell(self, binding: Binding) -> None:
        """Every lot ever named for a unit learns its lives, unless one binding says all: sightings may lie there; or
        may have been forgotten before."""
        for first, last, lives in self._bindings.pieces(binding):
            reaches = binding.at_us - EARLY_US <= self._waiting.horizon_us >= 0
            if lives.plain and not reaches:
                continue
            horizon_us = self._waiting.horizon_us if reaches else -1
            subject = binding.subject if first < 0 else binding.subject[:17]
            for lot in sorted(lives.lots):
                told = UnitLots(lot, subject, first, last, lives.binding, horizon_us, lives.spans)
                self._told.setdefault(partition_of(lot, self._topics.partitions), []).append(told)

    def _repack(self, parent: str, *, offset: int) -> None:
        kept = self._parents.rows(parent)
        if not kept:
            return
        before, after = self._bindings.contents_before(parent, offset), self._bindings.contents(parent)
        for row in kept:
            self._infer(repacked(row, before=before, after=after))

    def _tell_contents(self, parent: str, contents: list[Content]) -> None:
        """What was packed, or taken out, learns what it is in, and what that is in."""
        topics = self._topics
        for partition, row in links_of(parent, contents, partitions=topics.partitions):
            self._up.setdefault((topics.sightings, partition), []).append(row)
        for link in self._above.of(parent):
            self._pass_down(link, contents)

    def _pass_down(self, link: UnitParents, contents: Iterable[Content]) -> None:
        topics = self._topics
        for partition, row in passed_down(link, contents, partitions=topics.partitions):
            self._up.setdefault((topics.sightings, partition), []).append(row)

    def _hear(self, rows: Iterable[UnitParents]) -> None:
        """Units learn what they, or what they are in, are packed in: their lots and their contents have to know."""
        for row in rows:
            self._tell_lots(row)
            for tag in row.tags:
                parent = is_logistic(tag) or self._bindings.is_parent(tag)
                if parent or not self._bindings.lives(tag).lots:
                    link = row._replace(tags=(tag,))
                    self._above.put(link)
                    self._pass_down(link, self._bindings.contents(tag).values())

    def _tell_lots(self, row: UnitParents) -> None:
        topics = self._topics
        for said in by_lot(row, {tag: sorted(self._bindings.lives(tag).lots) for tag in row.tags}):
            place = topics.lot_sightings, partition_of(said.lot, topics.partitions)
            self._up.setdefault(place, []).append(said)

    def _flush(self, record: Record) -> Iterator[Output]:
        topics = self._topics
        for partition, told in self._told.items():
            for some in parts_of(told):
                yield Output(topics.lot_sightings, partition, UnitLotsRows(some), headers=UNIT_LOTS)
        for (topic, partition), links in self._up.items():
            for link_part in parts_of(links):
                yield Output(topic, partition, UnitParentsRows(link_part), headers=UNIT_PARENTS)
        for partition, passed in self._passed.items():
            yield Output(topics.lot_sightings, partition, passed)
        for partition, lot_rows in self._lot_rows.items():
            for lot_part in parts_of(lot_rows):
                yield Output(topics.lot_sightings, partition, LotSightingRows(lot_part))
        for partition, tag_rows in self._tag_rows.items():
            for tag_part in parts_of(tag_rows):
                yield Output(topics.sightings, partition, SightingRows(tag_part))
        for rejected in self._refused:
            yield dead_letter(
                record, rejected, stage="resolve", topic=topics.dead_letters, partitions=topics.partitions
            )
        self._passed, self._told, self._lot_rows, self._tag_rows, self._up, self._refused = {}, {}, {}, {}, {}, []


def merge(key: bytes, older: bytes, newer: bytes) -> bytes:
    """The union of two copies of one item of state."""
    if key[:1] == PREFIX:
        return merge_fact(older, newer)
    if key[:1] == ABOVE:
        return merge_link(older, newer)
    if len(key) == 1:
        return max(older, newer, key=int)
    return merge_row(older, newer)
