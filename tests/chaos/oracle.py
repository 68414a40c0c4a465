"""Whether every obligation was answered once in effect, nothing was invented, and all copies of the truth agree."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from lotstream.runtime.settings import Settings
from lotstream.schemas import topics
from lotstream.schemas.base import SLOT_US, decode
from lotstream.schemas.events import EVENTS, TraceEvent
from lotstream.schemas.identifiers import tag_key
from lotstream.schemas.identity import decode_bindings
from lotstream.schemas.movements import LOT_LOCATIONS, LotLocations
from lotstream.schemas.operations import parse_dead_letter
from lotstream.schemas.reads import ReadBatch, decode_reads
from lotstream.schemas.sightings import Mark, Sighting, decode_lot_sightings, decode_sightings
from lotstream.streams.engine.core import Record, Stage
from lotstream.streams.engine.plain import PlainLoop
from lotstream.streams.locate.chunks import PREFIX as CHUNK
from lotstream.streams.locate.chunks import Chunks
from lotstream.streams.locate.unit import DEPTH
from lotstream.streams.resolve.above import PREFIX as ABOVE
from lotstream.streams.resolve.core import WAITING
from lotstream.streams.run import STAGES
from tests.chaos.history import History
from tests.chaos.logs import Logs
from tests.chaos.world import Post, Read

SHOWN = 4
Spot = tuple[str, str, int]  # tag, read point, slot


@dataclass
class Verdict:
    """`lost`, `double` and `invented` count reads, letters and events; `differs` names what does not agree."""

    obligations: int = 0
    lost: int = 0
    double: int = 0
    invented: int = 0
    differs: Counter[str] = field(default_factory=Counter)
    details: list[str] = field(default_factory=list)

    @property
    def answered(self) -> int:
        return self.obligations - self.lost

    @property
    def clean(self) -> bool:
        return not (self.lost or self.double or self.invented or self.differs)

    def tell(self, what: str) -> None:
        if len(self.details) < 60:
            self.details.append(what)

    def compare(self, name: str, got: Mapping[Any, Any], wanted: Mapping[Any, Any]) -> None:
        """Two maps are the same, or how many keys are not."""
        wrong = [key for key in got.keys() | wanted.keys() if got.get(key) != wanted.get(key)]
        if wrong:
            self.differs[name] = len(wrong)
            for key in sorted(wrong, key=repr)[:SHOWN]:
                self.tell(f"{name}: {key}: expected {wanted.get(key)}, got {got.get(key)}")


def in_force(rows: Iterable[Sighting]) -> dict[Hashable, Sighting]:
    """Facts at their highest versions, retracted ones left out."""
    highest: dict[Hashable, Sighting] = {}
    for row in rows:
        known = highest.get(row.fact)
        if known is None or tuple(row.version) >= tuple(known.version):
            highest[row.fact] = row
    return {fact: row for fact, row in highest.items() if not row.marks & Mark.RETRACTED}


def said(row: Sighting) -> tuple[Any, ...]:
    """What a fact says, its version aside."""
    form = row.form
    runs = tuple(tuple(run) for run in row.runs)
    return form.location, row.first_us, row.last_us, row.reads, form.state, form.how, tuple(form.declaration), runs


def direct(row: Sighting) -> bool:
    """Whether the sighting was read, neither inferred nor declared."""
    return not row.form.origin and not row.form.declaration.event


class Oracle:
    """Judges one run by its topics, with the posts that were issued and those that were acknowledged."""

    def __init__(self, logs: Logs, settings: Settings) -> None:
        self._logs = logs
        self._settings = settings
        self._name = settings.topics.name
        self.verdict = Verdict()

    def judge(self, issued: Iterable[Post], obliged: Iterable[Post]) -> Verdict:
        """Reads, letters, events; then each stage against the plain loop."""
        obliged, issued = list(obliged), list(issued)
        self._reads(issued, [read for post in obliged for read in post.reads])
        self._letters(issued, [letter for post in obliged for letter in post.letters])
        self._events(sum(post.events for post in issued), sum(post.events for post in obliged))
        self._stages()
        self._history()
        return self.verdict

    def sightings(self) -> list[Sighting]:
        """All rows of sightings.v1."""
        return _rows(self._logs.records(self._name(topics.SIGHTINGS)))

    def _reads(self, issued: list[Post], obliged: list[Read]) -> None:
        verdict = self.verdict
        verdict.obligations += len(obliged)
        known = {read for post in issued for read in post.reads}
        places = self._places()
        verdict.invented += len(places.keys() - known)
        for read in sorted(places.keys() - known, key=repr)[:SHOWN]:
            verdict.tell(f"invented in reads.v1 at {places[read]}: {read}")
        missing = set(obliged) - places.keys()
        verdict.lost += len(missing)
        for read in sorted(missing, key=repr)[:SHOWN]:
            verdict.tell(f"acknowledged and not in reads.v1: {read}")
        # what is in reads.v1 counts, acknowledged or not: a request may be there whose answer was lost
        self._counts(places)

    def _counts(self, places: Mapping[Read, list[str]]) -> None:
        wanted: defaultdict[Spot, list[Read]] = defaultdict(list)
        for read in places:
            wanted[read.tag, read.point, read.time_us // SLOT_US].append(read)
        got: defaultdict[Spot, list[Sighting]] = defaultdict(list)
        for row in in_force(self.sightings()).values():
            if direct(row):
                tag, point, slot, *_ = row.fact
                got[tag, point, slot].append(row)
        for spot in wanted.keys() | got.keys():
            reads = wanted.get(spot, [])
            offsets = sorted({place for read in reads for place in places[read]})
            self._spot(spot, reads, rows=got.get(spot, []), offsets=offsets)

    def _spot(self, spot: Spot, reads: list[Read], *, rows: list[Sighting], offsets: list[str]) -> None:
        verdict = self.verdict
        count = sum(row.reads for row in rows)
        if not reads:
            verdict.invented += count
            verdict.tell(f"invented: {count} reads of {spot}: {rows}")
            return
        verdict.lost += max(0, len(reads) - count)
        verdict.double += max(0, count - len(reads))
        open_ = [row for row in rows if not row.marks & Mark.FINAL]
        if count == len(reads) and not open_ and _strengths(rows) == Counter(read.antenna for read in reads):
            return
        if count == len(reads):
            verdict.differs["content of sightings"] += 1
        verdict.tell(
            f"{spot}: expected {len(reads)} reads from {offsets}, got {count} in {[said(row) for row in rows]}"
        )

    def _places(self) -> dict[Read, list[str]]:
        """Every read in reads.v1, by its identity, with the places where it lies."""
        key_of = cache(tag_key)
        found: defaultdict[Read, list[str]] = defaultdict(list)
        for record in self._logs.records(self._name(topics.READS)):
            batch = decode_reads(record.value)
            if not isinstance(batch, ReadBatch):
                continue
            if batch.clock_offset_us:
                self.verdict.differs["clock offsets"] += 1
            for index, antenna, last in zip(batch.tag, batch.antenna, batch.last, strict=True):
                key = key_of(batch.tags[index])
                read = Read(batch.reader, batch.read_point, key, antenna, batch.t0_us + last)
                found[read].append(f"{record.partition}:{record.offset}")
        return found

    def _letters(self, issued: list[Post], obliged: list[bytes]) -> None:
        verdict = self.verdict
        verdict.obligations += len(obliged)
        found: defaultdict[bytes, set[str]] = defaultdict(set)
        for record in self._logs.records(self._name(topics.DEAD_LETTERS)):
            # a letter that comes again names the same origin: it is the same letter
            found[record.value or b""].add(parse_dead_letter(record.headers).origin)
        known = {letter for post in issued for letter in post.letters}
        verdict.lost += len(set(obliged) - found.keys())
        verdict.double += sum(len(origins) - 1 for origins in found.values())
        strange = found.keys() - known
        verdict.invented += len(strange)
        for letter in sorted(strange)[:SHOWN]:
            verdict.tell(f"a dead letter nobody expected: {found[letter]}: {letter[:300]!r}")

    def _events(self, issued: int, obliged: int) -> None:
        """By their hashes; what follows from them is compared as facts."""
        messages = [decode(EVENTS, record.value) for record in self._logs.records(self._name(topics.EVENTS))]
        found = len({message.event_hash for message in messages if isinstance(message, TraceEvent)})
        self.verdict.obligations += obliged
        self.verdict.lost += max(0, obliged - found)
        self.verdict.invented += max(0, found - issued)

    # -- stages against the plain loop -----------------------------------------------------------------------

    def _stages(self) -> None:
        stages = {name: build(self._settings) for name, build in STAGES.items()}
        self._register(stages["register"])
        self._smooth(stages["smooth"])
        self._resolve(stages["resolve"])
        self._locate(stages["locate"])

    def _history(self) -> None:
        history = History(self._settings)
        expected = history.expected(self._logs)
        self.verdict.compare("ClickHouse", {table: history.held(table) for table in expected}, expected)

    def _replayed(self, stage: Stage) -> PlainLoop:
        loop = PlainLoop([stage], log=self._logs.plain(*stage.sources))
        loop.run()
        return loop

    def _register(self, stage: Stage) -> None:
        log = self._replayed(stage).log
        for topic in (topics.IDENTITY, topics.LOTS, topics.DOCUMENTS):
            got = {line for record in self._logs.records(self._name(topic)) for line in _facts(topic, record.value)}
            wanted = {line for record in log.topic(self._name(topic)) for line in _facts(topic, record.value)}
            self.verdict.compare(f"register -> {topic}", dict.fromkeys(got, 1), dict.fromkeys(wanted, 1))

    def _smooth(self, stage: Stage) -> None:
        loop = self._replayed(stage)
        name = self._name(topics.SIGHTINGS)
        wanted = {_version(row) for row in _rows(loop.log.topic(name))}
        got = {_version(row) for row in self.sightings() if direct(row)}
        self.verdict.compare("smooth -> sightings.v1", dict.fromkeys(got, 1), dict.fromkeys(wanted, 1))
        for number in range(stage.partitions):
            items, through = self._logs.items(stage, number)
            self._snapshot(stage, number, items=items, through=through)

    def _snapshot(self, stage: Stage, number: int, *, items: dict[bytes, bytes], through: Mapping[str, int]) -> None:
        """The snapshot and a replay up to where it stands have the same state."""
        kept: Any = stage.build(number)
        kept.load(items.items())
        fresh: Any = stage.build(number)
        for topic in stage.sources:
            for record in self._logs.topic(topic).get(number, [])[: through.get(topic, 0)]:
                fresh.apply(record)
        self.verdict.compare(f"table of smooth {number}", _cells(kept), _cells(fresh))

    def _resolve(self, stage: Stage) -> None:
        loop = self._replayed(stage)
        tags, lots = self._name(topics.SIGHTINGS), self._name(topics.LOT_SIGHTINGS)
        wanted, got = in_force(_rows(loop.log.topic(tags))), in_force(self.sightings())
        self.verdict.compare("resolve -> sightings.v1", _said(got), _said(wanted))
        facts, replayed = _lot_facts(self._logs.records(lots)), _lot_facts(loop.log.topic(lots))
        self.verdict.compare("resolve -> lot-sightings.v1", facts, replayed)
        self._tables(stage, loop)

    def _locate(self, stage: Stage) -> None:
        loop = self._replayed(stage)
        name = self._name(topics.LOT_LOCATIONS)
        got, wanted = _places(self._logs.records(name)), _places(loop.log.topic(name))
        self.verdict.compare("locate -> lot-locations.v1", got, wanted)
        name = self._name(topics.LOTS_LATEST)
        known = {record.key: record.value for record in self._logs.records(name)}
        self.verdict.compare(
            "locate -> lots-latest.v1", known, {record.key: record.value for record in loop.log.topic(name)}
        )
        self._tables(stage, loop)

    def _tables(self, stage: Stage, loop: PlainLoop) -> None:
        for number in range(stage.partitions):
            items, _ = self._logs.items(stage, number)
            got, wanted = _content(items), _content(loop.table(stage, number))
            # a sighting, or what its tag is packed in, waits for the tag's binding only where it came first, which is
            # another order's affair
            late = {key: value for key, value in got.items() if key[:1] in (WAITING, ABOVE) and key not in wanted}
            self.verdict.compare(f"table of {stage.name} {number}", got, wanted | late)


def _strengths(rows: Iterable[Sighting]) -> Counter[int]:
    """Reads per antenna."""
    found: Counter[int] = Counter()
    for row in rows:
        for run in row.runs:
            found.update(dict(zip(run[3::3], run[4::3], strict=True)))
    return found


def _facts(topic: str, value: bytes | None) -> list[Hashable]:
    """Rows or whole messages; what register says is a function of the event."""
    return list(decode_bindings(value)) if topic == topics.IDENTITY else [value]


def _version(row: Sighting) -> tuple[Any, ...]:
    return (*row.fact, tuple(row.version), row.marks, *said(row))


def _said(rows: Mapping[Hashable, Sighting]) -> dict[Hashable, Any]:
    return {fact: said(row) for fact, row in rows.items()}


def _rows(records: Iterable[Record]) -> list[Sighting]:
    return [row for record in records for row in decode_sightings(record.value)]


def _lot_facts(records: Iterable[Record]) -> dict[Any, Any]:
    highest: dict[Any, Any] = {}
    for record in records:
        for row in decode_lot_sightings(record.value):
            key, version = (row.lot, row.sighting.fact), (tuple(row.sighting.version), row.binding, row.relabelled)
            if key not in highest or version >= highest[key][0]:
                highest[key] = version, row.sighting
    return {key: said(row) for key, (_, row) in highest.items() if not row.marks & Mark.RETRACTED}


def _content(items: Mapping[bytes, bytes]) -> dict[Any, Any]:
    """What a table says. A chunk of units may be written in one piece or in several: its units count."""
    found: dict[Any, Any] = {key: value for key, value in items.items() if key[:1] != CHUNK}
    chunks = Chunks(depth=DEPTH)
    for key, units in chunks.load((key, value) for key, value in items.items() if key[:1] == CHUNK):
        found |= {(CHUNK, key, position): (unit.entries, unit.floor) for position, unit in units.items()}
    return found


def _places(records: Iterable[Record]) -> dict[str, LotLocations]:
    """The newest message about each lot; revision and as-of aside, which alone make no message."""
    newest: dict[str, LotLocations] = {}
    for record in records:
        message = LOT_LOCATIONS.validate_json(record.value or b"")
        newest[message.lot] = message
    return {lot: message.model_copy(update={"revision": 0, "as_of_us": 0}) for lot, message in newest.items()}


def _cells(core: Any) -> dict[Any, Any]:
    """Runs of every sighting that is remembered."""
    return {
        (point.name, book.slot, cell.tag): [(run.first, run.last, run.reads) for run in cell.runs]
        for point in core.state.points.values()
        for book in point.books.values()
        for cell in book.cells.values()
    }
