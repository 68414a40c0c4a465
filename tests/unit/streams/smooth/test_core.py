"""Smooth, one partition: what is published when, and what a restart brings back."""

import gc
from typing import Any

from lotstream.schemas.base import SLOT_US
from lotstream.schemas.identifiers.tag import tag_key
from lotstream.schemas.sightings import Direction, Mark, State
from lotstream.streams.smooth.state import Book, Cell

TAG = "3034257BF7194E4000001A85"
OTHER = "3034257BF7194E4000001A86"
KEY = tag_key(TAG)


def test_first_read_is_published_at_once_as_glimpsed(door: Any) -> None:
    """The door light hears of a tag with its first read."""
    (row,) = door.reads((1.0, TAG))
    assert (row.tag, row.form.context.read_point, row.form.location) == (KEY, "dock-1", "hall")
    assert (row.form.state, row.form.direction, row.marks, row.reads) == (State.GLIMPSED, Direction.UNKNOWN, 0, 1)
    assert row.slot * SLOT_US == 1_795_000_020_000_000
    assert row.version == (0, 0)


def test_counts_alone_publish_nothing(door: Any) -> None:
    """A visit of many reads is three messages: glimpsed, observed, final."""
    assert [row.form.state for row in door.reads((1.0, TAG))] == [State.GLIMPSED]
    assert [row.form.state for row in door.reads((1.1, TAG))] == [State.OBSERVED]
    assert not door.reads((1.2, TAG), (1.3, TAG), (1.4, TAG))
    (row,) = door.tick(8.5)
    assert row.marks == Mark.FINAL
    assert row.reads == 5
    assert row.runs == [[row.first_us, row.last_us, 5, 1, 5, -5_000]]


def test_a_run_closes_after_silence_and_grace_of_log_time(door: Any) -> None:
    """Nothing is final before log time has passed last read + silence + grace; the step of 50 ms after, all is."""
    door.reads((1.0, TAG), (1.1, TAG))
    assert not door.tick(8.1)
    (row,) = door.tick(8.15)
    assert row.marks == Mark.FINAL


def test_a_restart_closes_a_run_at_the_same_record(door: Any) -> None:
    """When a run is final depends on its last read alone: not on when somebody began to wait for it."""
    door.reads((1.0, TAG))
    door.reads((1.06, TAG))
    table = dict(door.core.changes())
    assert not door.tick(8.07)
    (row,) = door.tick(8.1)
    door.core = door.build()
    door.core.load(table.items())
    door.offset = row.version[1] - 1
    assert not door.tick(8.07)
    assert door.tick(8.1) == [row]


def test_a_restart_forgets_a_slot_at_the_same_record(door: Any) -> None:
    """What a clock held that had ended is let go when it goes on far beyond it, restart or no restart."""
    door.reads((-5_000, TAG), at_s=0, origin="file", source="f")
    door.end("f", at_s=0.2)
    table = dict(door.core.changes())
    slots = []
    for restarted in (False, True):
        if restarted:
            door.core = door.build()
            door.core.load(table.items())
        door.reads((-1_000, OTHER), at_s=10, origin="file", source="f")
        slots.append(set(door.core.state.points["dock-1"].books))
    assert slots[0] == slots[1]
    assert len(slots[0]) == 1


def test_a_read_exactly_at_the_silence_goes_on_with_the_run(door: Any) -> None:
    """The silence is inclusive: 5 s apart is one run, a microsecond more is two."""
    door.reads((1.0, TAG), (6.0, TAG), (11.000001, TAG))
    (row,) = door.tick(40)
    assert [run[2] for run in row.runs] == [2, 1]


def test_a_read_exactly_at_a_boundary_belongs_to_the_slot_that_starts(door: Any) -> None:
    """Slots are half open: second 30 is in the second one, and both say that the run goes on."""
    door.reads((29.9, TAG), (30.0, TAG))
    door.tick(60)
    rows = sorted(door.newest().values(), key=lambda row: row.slot)
    assert [row.reads for row in rows] == [1, 1]
    assert [row.marks for row in rows] == [Mark.FINAL | Mark.CONTINUES_AFTER, Mark.FINAL | Mark.CONTINUES_BEFORE]
    assert rows[1].first_us % SLOT_US == 0


def test_direction_is_the_order_of_the_two_sides(door: Any) -> None:
    """Outer side first is inward; outward takes the tag to the location outside; one side alone says nothing."""
    door.reads((1.0, TAG, 2), (1.5, TAG, 1), (1.0, OTHER, 1), (1.5, OTHER, 2))
    door.reads((2.0, "E280", 1), (2.1, "E280", 1))
    rows = {row.tag: row for row in door.tick(30)}
    assert (rows[KEY].form.direction, rows[KEY].form.location) == (Direction.INWARD, "hall")
    assert (rows[tag_key(OTHER)].form.direction, rows[tag_key(OTHER)].form.location) == (Direction.OUTWARD, "yard")
    assert (rows["hex/E280"].form.direction, rows["hex/E280"].form.location) == (Direction.UNKNOWN, "hall")


def test_direction_of_a_visit_over_several_slots_is_told_where_it_ends(door: Any) -> None:
    """A pallet that stands in the door for minutes goes inward in its last slot, also when the first is forgotten."""
    for second in range(0, 400, 4):
        door.reads((second + 0.5, TAG, 2), at_s=second + 0.6)
    door.reads((401.0, TAG, 1), (402.0, TAG, 1), (403.0, TAG, 1))
    door.tick(420)
    rows = sorted(door.newest().values(), key=lambda row: row.slot)
    assert [row.form.direction for row in rows] == [Direction.UNKNOWN] * 13 + [Direction.INWARD]
    assert all(row.marks & Mark.CONTINUES_AFTER for row in rows[:-1])


def test_late_read_within_memory_is_a_version_of_the_same_key(door: Any) -> None:
    """A read 60 s late bridges two runs: the same key, a higher version, final again."""
    door.reads((1.0, TAG), (10.0, TAG))
    door.tick(40)
    (row,) = door.reads((5.5, TAG), at_s=60)
    assert row.form.lane == ""
    assert row.marks == Mark.FINAL
    assert len(row.runs) == 1


def test_reads_later_than_remembered_open_a_lane(door: Any) -> None:
    """After 120 s beyond the slot a read is a fact of its own, marked late, direction unknown."""
    door.reads((1.0, TAG, 2), (2.0, TAG, 1))
    door.tick(150.0)
    (row,) = door.reads((3.0, TAG), at_s=150.0)
    assert row.form.lane == ""
    (row,) = door.reads((4.0, TAG), (4.1, TAG), at_s=150.1)
    assert (row.form.lane, row.marks, row.form.direction) == ("late:3", Mark.FINAL | Mark.LATE, Direction.UNKNOWN)
    assert (row.reads, row.form.state) == (2, State.OBSERVED)


def test_a_read_that_comes_twice_counts_once(door: Any) -> None:
    """A retry in other batches, through another gateway with another clock offset, adds nothing."""
    door.reads((1.0, TAG), (1.1, TAG), (1.2, OTHER), received_us=5)
    door.reads((1.1, TAG), (1.2, TAG), received_us=6, clock_offset_us=7)
    door.tick(30)
    rows = {row.tag: row.reads for row in door.newest().values()}
    assert rows == {KEY: 3, tag_key(OTHER): 1}


def test_the_copy_received_first_counts_also_when_it_comes_last(door: Any, make_door: Any, summary: Any) -> None:
    """Of two copies with different event times the stamp decides, not the order in the log."""
    copies = [{"received_us": 5}, {"received_us": 6, "clock_offset_us": 40_000_000}]
    other = make_door()
    for one, order in ((door, copies), (other, copies[::-1])):
        for more in order:
            one.reads((1.0, TAG), (2.0, TAG), at_s=3, **more)
        one.tick(160)
    standing = [row for row in other.newest().values() if not row.marks & Mark.RETRACTED]
    assert summary(standing) == summary(door.newest().values())


def test_two_encodings_of_one_unit_are_one_tag(door: Any) -> None:
    """SGTIN-96 and the key on its label coalesce, and a scan is observed at once."""
    (row,) = door.reads((1.0, TAG), (1.5, KEY, 0))
    assert (row.tag, row.reads, row.form.state) == (KEY, 2, State.OBSERVED)


def test_files_run_on_their_own_time_and_close_at_their_end(door: Any) -> None:
    """A file of last year closes visits as its own reads go on, and the last one with its end record."""
    day = -86_400
    rows = door.reads((day + 1, TAG), (day + 1.5, TAG), at_s=0, origin="file", source="f")
    assert [row.marks for row in rows] == [0]
    rows = door.reads((day + 100, OTHER), at_s=0.1, origin="file", source="f")
    assert [(row.tag, row.marks) for row in rows] == [(tag_key(OTHER), 0), (KEY, Mark.FINAL)]
    (row,) = door.end("f", at_s=0.2)
    assert (row.tag, row.marks) == (tag_key(OTHER), Mark.FINAL)


def test_a_file_without_an_end_closes_after_a_minute_of_log_time(door: Any) -> None:
    """What a broken import opened does not stay open."""
    door.reads((-5_000, TAG), at_s=0, origin="buffered", source="f")
    assert not door.tick(60)
    assert [row.marks for row in door.tick(60.1)] == [Mark.FINAL]


def test_a_slot_already_forgotten_is_not_opened_again(door: Any) -> None:
    """A file about a slot whose live sightings are forgotten goes to a lane beside them."""
    door.reads((1.0, TAG), (2.0, TAG))
    door.tick(300)
    (row,) = door.reads((3.0, TAG), at_s=301, origin="file", source="f")
    assert row.form.lane == "late:2"


def test_what_is_not_understood_becomes_a_dead_letter_with_its_bytes(door: Any) -> None:
    """No message disappears: bytes and reason go to the dead letters, time goes on."""
    door.apply(b"{nonsense", at_s=1)
    (output,) = door.outputs
    assert (output.topic, output.rows) == ("dead-letters.v1", b"{nonsense")
    assert dict(output.headers)["origin"] == b"reads.v1:0:0"
    assert dict(output.headers)["stage"] == b"smooth"


def test_a_bad_tag_does_not_hold_back_the_good_ones(door: Any) -> None:
    """A key with a wrong check digit goes to the dead letters, the rest of the batch is smoothed."""
    rows = door.reads((1.0, "01/00614141123453/21/7"), (1.0, TAG))
    assert [row.tag for row in rows] == [KEY]
    assert any(output.topic == "dead-letters.v1" for output in door.outputs)


def test_memory_ends(door: Any) -> None:
    """After slot, 120 s and the slot after, nothing of a visit is left but the number of the slot."""
    door.reads((1.0, TAG), (2.0, TAG))
    door.core.changes()
    door.tick(180.1)
    point = door.core.state.points["dock-1"]
    assert not point.books
    assert not point.frames
    assert not point.segments
    assert None in door.core.changes().values()


def test_what_is_forgotten_is_freed_at_once(door: Any) -> None:
    """A worker that looks for cycles once in minutes does not grow until then: forgotten slots are in none."""
    door.reads((1.0, TAG), (2.0, OTHER))
    door.core.changes()
    gc.collect()
    gc.disable()
    try:
        door.tick(180.1)
        door.core.changes()
        left = [type(each) for each in gc.get_objects() if isinstance(each, Book | Cell)]
    finally:
        gc.enable()
    assert not left


def test_no_record_of_the_snapshot_is_longer_than_a_broker_takes(door: Any) -> None:
    """A file at full speed fills many records of the changelog, not one too long, and all of them load."""
    for i in range(120):
        reads = [(i / 100 + k / 1e6, f"E280{i % 7:04X}{k % 400:04X}") for k in range(2_000)]
        door.reads(*reads, origin="file", source="f", at_s=0)
    records = door.core.changes()
    assert len(records) > 5
    assert max(len(value) for value in records.values() if value) < 900_000
    again = door.build()
    again.load((key, value) for key, value in records.items() if value is not None)
    (point,) = door.core.state.points.values()
    (loaded,) = again.state.points.values()
    assert {slot: len(book.cells) for slot, book in loaded.books.items()} == {
        slot: len(book.cells) for slot, book in point.books.items()
    }
