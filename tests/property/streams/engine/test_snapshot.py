"""A snapshot is whole or not there, wherever its writing broke off."""

from hypothesis import given
from hypothesis import strategies as st

from lotstream.streams.engine.changelog import FENCE, ChangelogRecord
from lotstream.streams.engine.snapshot import MARKER, SnapshotReplay

KEYS = [b"a", b"b", b"c", b"d"]
CHANGES = st.dictionaries(st.sampled_from(KEYS), st.one_of(st.none(), st.binary(max_size=2)), max_size=4)
# each snapshot: what changes, and after how many records it breaks off (None: it is finished)
SNAPSHOTS = st.lists(st.tuples(CHANGES, st.one_of(st.none(), st.integers(0, 5))), max_size=8)
COMPACTIONS = st.integers(0, 60)


class Changelog:
    """One partition, an owner after the other."""

    def __init__(self) -> None:
        self.records: list[ChangelogRecord] = []
        self.next = 0

    def append(self, key: bytes, value: bytes | None, owner: int) -> None:
        self.records.append(ChangelogRecord(self.next, key, value, owner))
        self.next += 1

    def own(self) -> tuple[int, SnapshotReplay]:
        number = self.next
        self.append(FENCE, b"", -1)
        replay = SnapshotReplay()
        for record in self.records:
            replay.take(record)
        return number, replay

    def compact(self, keep: int) -> None:
        newest = {record.key: record.offset for record in self.records}
        self.records = [
            record for record in self.records if record.offset >= keep or newest[record.key] == record.offset
        ]


def changed(state: dict[bytes, bytes], changes: dict[bytes, bytes | None]) -> dict[bytes, bytes]:
    merged = {**state, **changes}
    return {key: value for key, value in merged.items() if value is not None}


@given(SNAPSHOTS, st.lists(COMPACTIONS, max_size=8), st.booleans())
def test_a_crash_leaves_the_last_whole_snapshot(
    snapshots: list[tuple[dict[bytes, bytes | None], int | None]], compactions: list[int], rewrites_break: bool
) -> None:
    """After any crash the state is that of the newest marker, offsets included; unfinished writing leaves no trace."""
    log = Changelog()
    state: dict[bytes, bytes] = {}
    through = 0
    number, replay = log.own()
    _, writer, _ = replay.finish()
    for turn, (changes, breaks_after) in enumerate(snapshots):
        writes = list(writer.records(changes))
        marker = writer.marker({"t": turn + 1})
        writes.append((MARKER, marker.encode()))
        for key, value in writes if breaks_after is None else writes[: min(breaks_after, len(writes) - 1)]:
            log.append(key, value, number)
        if breaks_after is None:
            writer.confirm()
            state, through = changed(state, changes), turn + 1
            continue
        if turn < len(compactions):
            log.compact(compactions[turn])
        number, replay = log.own()
        items, writer, rewrites = replay.finish()
        assert items == state
        assert (0 if replay.marker is None else replay.marker.through["t"]) == through
        for key, value in list(rewrites.items())[: 1 if rewrites_break else None]:
            log.append(key, value, number)
        if rewrites_break:  # the loader died while it wrote again, and another one took over
            number, replay = log.own()
            items, writer, rewrites = replay.finish()
            assert items == state
            for key, value in rewrites.items():
                log.append(key, value, number)
    _, replay = log.own()
    assert replay.finish()[0] == state


@given(SNAPSHOTS, CHANGES)
def test_a_replaced_owner_changes_nothing(
    snapshots: list[tuple[dict[bytes, bytes | None], int | None]], late: dict[bytes, bytes | None]
) -> None:
    """What a replaced owner writes, a whole snapshot with its marker even, is ignored and written over."""
    log = Changelog()
    state: dict[bytes, bytes] = {}
    number, replay = log.own()
    _, writer, _ = replay.finish()
    for changes, _ in snapshots:
        for key, value in writer.records(changes):
            log.append(key, value, number)
        log.append(MARKER, writer.marker({}).encode(), number)
        writer.confirm()
        state = changed(state, changes)
    log.own()
    for key, value in writer.records(late):
        log.append(key, value, number)
    log.append(MARKER, writer.marker({}).encode(), number)
    newest, replay = log.own()
    items, _, rewrites = replay.finish()
    assert items == state
    for key, value in rewrites.items():
        log.append(key, value, newest)
    log.compact(log.next)
    assert log.own()[1].finish()[0] == state
