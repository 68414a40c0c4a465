"""State comes out of a changelog right, whoever wrote into it too late and whatever was compacted away."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lotstream.streams.engine.changelog import (
    FENCE,
    ITEM,
    ChangelogRecord,
    ItemReplay,
    Process,
    owner_headers,
    parse_owner,
)
from tests.property.streams.engine.conftest import some

KEYS = [b"a", b"b", b"c"]
# each step: a new owner fences (None), or an owner (by age: 0 the newest) writes a key
STEPS = st.lists(
    st.one_of(st.none(), st.tuples(st.integers(0, 2), st.sampled_from(KEYS), st.integers(0, 30), st.booleans())),
    max_size=30,
)


def union(key: bytes, older: bytes, newer: bytes) -> bytes:
    """The lattice of the test: sets of letters."""
    return bytes(sorted(set(older) | set(newer)))


class Log:
    """A changelog partition and the owners that wrote it; each owner has loaded what was there at its fence."""

    def __init__(self) -> None:
        self.records: list[ChangelogRecord] = []
        self.owners: list[tuple[int, dict[bytes, bytes]]] = []

    def append(self, key: bytes, value: bytes | None, owner: int) -> None:
        self.records.append(ChangelogRecord(self.end, key, value, owner))

    @property
    def end(self) -> int:
        return self.records[-1].offset + 1 if self.records else 0

    def fence(self) -> None:
        """A new owner: fence, load, write again what was touched."""
        number = self.end
        self.append(FENCE, b"", -1)
        replay = self.load()
        state = dict(replay.items)
        for key, value in replay.rewrites().items():
            self.append(key, value, number)
        self.owners.append((number, state))

    def load(self) -> ItemReplay:
        replay = ItemReplay(union)
        for record in self.records:
            replay.take(record)
        return replay

    def compact(self, keep: int) -> None:
        """What a log cleaner may do: of each key only the newest record below `keep` stays; offsets stay."""
        newest = {record.key: record.offset for record in self.records if record.offset < keep}
        self.records = [
            record for record in self.records if record.offset >= keep or newest[record.key] == record.offset
        ]


COMPACT = "compact"
WRITES = st.tuples(st.integers(0, 2), st.sampled_from(KEYS), st.integers(0, 30))


@settings(max_examples=some(200), deadline=None)
@given(st.lists(st.one_of(st.just(COMPACT), st.none(), WRITES), max_size=60))
def test_compaction_takes_nothing_from_a_lattice(steps: list[str | tuple[bytes, int, int] | None]) -> None:
    """A cleaner that keeps its distance, up to the last owner's fence, leaves every letter that anybody wrote."""
    log = Log()
    log.fence()
    written: dict[bytes, set[int]] = {key: set() for key in KEYS}
    for step in steps:
        if step == COMPACT:
            log.compact(log.owners[-1][0])
        elif step is None:
            log.fence()
        else:
            age, key, letter = step
            number, state = log.owners[max(0, len(log.owners) - 1 - age)]
            state[key] = union(key, state.get(key, b""), bytes([65 + letter]))
            written[key].add(65 + letter)
            log.append(ITEM + key, state[key], number)
    items = log.load().items
    assert {key: set(items.get(key, b"")) for key in KEYS} == written


@given(STEPS)
def test_nothing_written_too_late_is_lost_or_undoes_anything(steps: list[tuple[int, bytes, int, bool] | None]) -> None:
    """With a lattice, every letter that any owner ever wrote to a key is there at the next load."""
    log = Log()
    log.fence()
    written: dict[bytes, set[int]] = {key: set() for key in KEYS}
    for step in steps:
        if step is None:
            log.fence()
            continue
        age, key, letter, _ = step
        number, state = log.owners[max(0, len(log.owners) - 1 - age)]
        state[key] = union(key, state.get(key, b""), bytes([65 + letter]))
        written[key].add(65 + letter)
        log.append(ITEM + key, state[key], number)
    items = log.load().items
    assert {key: set(items.get(key, b"")) for key in KEYS} == written


@given(STEPS, st.integers(0, 40))
def test_without_a_lattice_only_the_owner_counts(steps: list[tuple[int, bytes, int, bool] | None], keep: int) -> None:
    """Snapshot state is what the owner of the time wrote last, also when the log was compacted after the load."""
    records: list[ChangelogRecord] = []
    fences: list[int] = []
    state: dict[bytes, bytes] = {}
    for offset, step in enumerate([None, *steps]):
        if step is None:
            fences.append(offset)
            records.append(ChangelogRecord(offset, FENCE, b"", -1))
            continue
        age, key, value, deletes = step
        raw = None if deletes else b"%d" % value
        records.append(ChangelogRecord(offset, ITEM + key, raw, fences[max(0, len(fences) - 1 - age)]))
        if len(fences) - 1 - age <= 0 if len(fences) == 1 else age == 0:
            state.pop(key, None) if raw is None else state.update({key: raw})
    replay = ItemReplay()
    for record in records:
        replay.take(record)
    assert replay.items == state
    # the loader writes again what was touched, then the log may be compacted
    again = Log()
    again.records = [*records]
    number = len(records)
    again.append(FENCE, b"", -1)
    for key, kept in replay.rewrites().items():
        again.append(key, kept, number)
    again.compact(keep)
    later = ItemReplay()
    for record in again.records:
        later.take(record)
    assert later.items == state


@given(st.integers(0, 2**63 - 1))
def test_the_owners_number_survives_the_wire(number: int) -> None:
    """An owner's number comes back out of the headers; a record without one counts as anybody's."""
    assert parse_owner(owner_headers(number)) == number
    assert parse_owner((("other", b"x"),)) == -1


def test_a_twin_is_another_process_of_the_same_name_that_fenced_later() -> None:
    """Neither the own fences nor older ones of one's predecessor nor those of other names make a twin."""
    mine, before, other = Process("a", "m1"), Process("a", "m0"), Process("ba", "m2")
    assert not mine.has_twin({mine.encode(): 9, before.encode(): 3, other.encode(): 12}, since=5)
    assert mine.has_twin({mine.encode(): 9, before.encode(): 7}, since=5)
    assert not Process("", "m1").has_twin({Process("", "m0").encode(): 7}, since=5)
