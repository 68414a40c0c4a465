"""Binding facts of one partition of identity.v1, indexed for two questions: whose lot, and what is inside."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

import orjson

from lotstream.schemas.identity import Binding, Relation
from lotstream.streams.resolve.kept import SETTLED
from lotstream.streams.resolve.lives import NEVER, NO_LIFE, Content, Fact, Lives, contents_of, lives_of
from lotstream.streams.serials import NOT_NUMERIC, is_sgtin, serial_of

BLOCK_BITS = 12  # as in schemas.partitions: serials of one block share a partition
Ident = tuple[int, str, int, int, str, int, int, str]  # relation, subject, first, last, object, action, at, event
PREFIX = b"B"
ASKED = 100_000  # units whose lives are remembered between two changes of any lot


class _Block:
    """Lot bindings of 4,096 neighbouring serials, or of one unit: facts, and what follows from them, made lazily."""

    __slots__ = ("_lives", "_starts", "ranges", "singles")

    def __init__(self) -> None:
        self.ranges: dict[Ident, Fact] = {}
        self.singles: dict[int, dict[Ident, Fact]] = {}
        self._starts: list[int] | None = None
        self._lives: list[Lives] = []

    def put(self, ident: Ident, fact: Fact, *, first: int, last: int) -> None:
        if first == last:
            self.singles.setdefault(first, {})[ident] = fact
        else:
            self.ranges[ident] = fact
            self._starts = None

    def lives(self, serial: int) -> Lives:
        if serial in self.singles:
            over = (fact for ident, fact in self.ranges.items() if ident[2] <= serial <= ident[3])
            return lives_of([*over, *self.singles[serial].values()])
        starts = self._starts if self._starts is not None else self._cut()
        place = bisect_right(starts, serial) - 1
        return self._lives[place] if place >= 0 else NO_LIFE

    def pieces(self, first: int, last: int) -> Iterator[tuple[int, int, Lives]]:
        """Serials first..last in runs of equal lives."""
        if first == last:
            yield first, last, self.lives(first)
            return
        edges = {edge for ident in self.ranges for edge in (ident[2], ident[3] + 1)}
        edges |= {edge for serial in self.singles for edge in (serial, serial + 1)}
        starts = [first, *sorted(edge for edge in edges if first < edge <= last)]
        for start, following in zip(starts, [*starts[1:], last + 1], strict=True):
            yield start, following - 1, self.lives(start)

    def _cut(self) -> list[int]:
        edges = self._starts = sorted({edge for ident in self.ranges for edge in (ident[2], ident[3] + 1)})
        self._lives = [
            lives_of(fact for ident, fact in self.ranges.items() if ident[2] <= edge <= ident[3]) for edge in edges
        ]
        return edges


class Bindings:
    """All binding facts of a partition. A fact is what was said; its version the offset that first said so."""

    def __init__(self) -> None:
        self._facts: dict[Ident, Fact] = {}
        self._blocks: dict[tuple[str, int], _Block] = {}
        self._units: dict[str, dict[Ident, Fact]] = {}
        self._asked: dict[str, Lives] = {}
        self._parents: dict[str, dict[Ident, Fact]] = {}
        self._contents: dict[str, tuple[int, dict[str, Content]]] = {}  # with the offset of the oldest news in them
        self._newest = self._loaded = -1  # offsets
        self._applied = 0
        self._cases: set[str] = set()  # trade items that are packages: 01/{gtin14}
        self._dirty: set[Ident] = set()

    def tick(self) -> None:
        """One more record was applied."""
        self._applied += 1

    @property
    def _since(self) -> int:
        """The first offset that is news: who had this partition before may have published what it decided without.

        Records may come again in another order between the sources, and their first outputs are not taken back."""
        return (self._newest if self._applied > SETTLED else self._loaded) - SETTLED

    def add(self, row: Binding, *, offset: int) -> None:
        """Take in one fact; said again it changes nothing, retracted once it stays so.

        What a child is packed in (PARENT) is for those who ask of the child: inference goes by CONTENT.
        """
        if row.relation == Relation.PARENT:
            return
        self._newest = max(self._newest, offset)
        ident = row.relation, row.subject, row.first, row.last, row.object, row.action, row.at_us, row.event
        retracted = offset if row.retracted else NEVER
        fact = Fact(row.object, row.action, row.at_us, row.event, offset, retracted, row.recorded_us)
        if self._put(ident, fact):
            self._dirty.add(ident)

    def lives(self, tag: str) -> Lives:
        """The lives of a unit."""
        lives = self._asked.get(tag)
        if lives is None:
            if len(self._asked) >= ASKED:
                self._asked.clear()
            lives = self._asked[tag] = self._find_lives(tag)
        return lives

    def _find_lives(self, tag: str) -> Lives:
        serial = serial_of(tag)
        if serial != NOT_NUMERIC:
            block = self._blocks.get((tag[3:17], serial >> BLOCK_BITS))
            return NO_LIFE if block is None else block.lives(serial)
        facts = self._units.get(tag)
        return NO_LIFE if facts is None else lives_of(facts.values())

    def pieces(self, row: Binding) -> Iterator[tuple[int, int, Lives]]:
        """What a lot binding is about, in serials first..last of equal lives; (-1, -1) when that is one unit."""
        serial = serial_of(row.subject)
        if row.first < 0 and serial == NOT_NUMERIC:
            yield -1, -1, self.lives(row.subject)
            return
        first, last = (row.first, row.last) if row.first >= 0 else (serial, serial)
        for number in range(first >> BLOCK_BITS, (last >> BLOCK_BITS) + 1):
            low, high = number << BLOCK_BITS, ((number + 1) << BLOCK_BITS) - 1
            yield from self._blocks[row.subject[3:17], number].pieces(max(first, low), min(last, high))

    def is_parent(self, tag: str) -> bool:
        """Whether anything was ever packed into a unit, or into another of its trade item: packing lists come late."""
        return tag in self._parents or tag[:17] in self._cases

    def contents(self, tag: str) -> dict[str, Content]:
        """Everything that was ever in a parent, by child."""
        if tag not in self._parents:
            return {}
        known, since = self._contents.get(tag), self._since
        if known is None or known[0] < since:
            facts = self._parents[tag].values()
            news = min((fact.version for fact in facts if fact.version >= since), default=NEVER)
            known = self._contents[tag] = news, contents_of(facts, since=since)
        return known[1]

    def contents_before(self, tag: str, offset: int) -> dict[str, Content]:
        """The contents of a parent by what had been said before an offset: also a replayed message finds out by it
        what it changed."""
        facts = self._parents.get(tag, {}).values()
        return contents_of(fact.before(offset) for fact in facts if fact.said < offset)

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Facts from the changelog."""
        for key, value in items:
            ident: Ident = tuple(orjson.loads(key[1:]))
            said, retracted, recorded = orjson.loads(value)
            fact = Fact(ident[4], ident[5], ident[6], ident[7], said, retracted, recorded)
            self._put(ident, fact)
            self._newest = self._loaded = max(self._loaded, fact.version)

    def changes(self) -> dict[bytes, bytes | None]:
        """Facts that changed since last asked."""
        changed: dict[bytes, bytes | None] = {}
        for ident in self._dirty:
            fact = self._facts[ident]
            changed[PREFIX + orjson.dumps(ident)] = orjson.dumps((fact.said, fact.retracted, fact.recorded_us))
        self._dirty.clear()
        return changed

    def _put(self, ident: Ident, fact: Fact) -> bool:
        known = self._facts.get(ident)
        if known is not None:
            if known.said <= fact.said and known.retracted <= fact.retracted:
                return False
            fact = fact._replace(
                said=min(fact.said, known.said),
                retracted=min(fact.retracted, known.retracted),
                recorded_us=max(fact.recorded_us, known.recorded_us),
            )
        self._facts[ident] = fact
        relation, subject, first, last = ident[:4]
        if relation == Relation.LOT:
            self._asked.clear()
        if relation == Relation.CONTENT:
            self._parents.setdefault(subject, {})[ident] = fact
            if is_sgtin(subject):
                self._cases.add(subject[:17])
            self._contents.pop(subject, None)
        elif relation == Relation.LOT and first >= 0:
            self._put_range(ident, fact, gtin=subject[3:17], first=first, last=last)
        elif relation == Relation.LOT:
            serial = serial_of(subject)
            if serial != NOT_NUMERIC:
                self._put_range(ident, fact, gtin=subject[3:17], first=serial, last=serial)
            else:
                self._units.setdefault(subject, {})[ident] = fact
        return True

    def _put_range(self, ident: Ident, fact: Fact, *, gtin: str, first: int, last: int) -> None:
        for number in range(first >> BLOCK_BITS, (last >> BLOCK_BITS) + 1):
            self._blocks.setdefault((gtin, number), _Block()).put(ident, fact, first=first, last=last)


def merge_fact(older: bytes, newer: bytes) -> bytes:
    """The union of two copies of one fact: first said, first retracted."""
    (said, retracted, recorded), (other_said, other_retracted, other_recorded) = map(orjson.loads, (older, newer))
    return orjson.dumps((min(said, other_said), min(retracted, other_retracted), max(recorded, other_recorded)))
