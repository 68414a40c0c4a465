"""The parts of smooth: policy, forgotten slots, tags of a batch, clocks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotstream.runtime.settings import Settings
from lotstream.schemas.identifiers.tag import tag_key
from lotstream.schemas.partitions import tag_partition
from lotstream.schemas.reads import Tick
from lotstream.schemas.sightings import Mark
from lotstream.streams.smooth import gone
from lotstream.streams.smooth.gone import Gone
from lotstream.streams.smooth.labels import LabelCache
from lotstream.streams.smooth.policy import Rule, SmoothPolicy
from lotstream.streams.smooth.stage import build_policy, build_stage
from lotstream.streams.smooth.timers import oldest_slot

TAG = "3034257BF7194E4000001A85"


@pytest.mark.parametrize("wrong", [{"silence_us": 0}, {"silence_us": 30_000_001}, {"observe_count": 0}])
def test_a_rule_that_cannot_hold_is_refused(wrong: dict[str, int]) -> None:
    """A silence longer than a slot, or no silence, or no count, is an error at start-up."""
    with pytest.raises(ValueError, match="Expected"):
        Rule(**wrong)


def test_memory_shorter_than_a_silence_is_refused() -> None:
    """What is forgotten before it can close would never be final."""
    with pytest.raises(ValueError, match="Expected"):
        SmoothPolicy(rule=Rule(silence_us=20_000_000), remember_us=20_000_000)


def test_policy_comes_from_the_settings() -> None:
    """Silence, count and memory are what the settings say."""
    stream = Settings().stream
    policy = build_policy(Settings())
    assert policy.at("anywhere").silence_us == stream.silence_s * 1_000_000
    assert policy.at("anywhere").observe_count == stream.observe_count
    assert policy.remember_us == stream.remember_s * 1_000_000


def test_the_idle_record_is_a_tick_for_the_own_partition() -> None:
    """Log time goes on at a silent door by a record of its own partition."""
    stage = build_stage(Settings())
    assert stage.idle is not None
    output = stage.idle(7)
    assert (output.topic, output.partition, output.rows) == (stage.sources[0], 7, Tick().encode())


@given(st.lists(st.integers(-50, 50)))
def test_forgotten_slots_are_a_set(slots: list[int]) -> None:
    """Intervals hold exactly the slots that were added, and come back from their pairs."""
    held = Gone()
    for slot in slots:
        held.add(slot)
    again = Gone(held.pairs())
    for slot in range(-55, 56):
        assert (slot in held) is (slot in again) is (slot in slots)
        assert held.touches(slot, slot + 3) is any(other in slots for other in range(slot, slot + 4))
    starts = [start for start, _ in held.pairs()]
    assert starts == sorted(set(starts))


def test_forgotten_slots_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit the oldest gap counts as forgotten; nothing forgotten is ever taken for new."""
    monkeypatch.setattr(gone, "LONGEST", 3)
    held = Gone()
    for slot in range(0, 20, 2):
        held.add(slot)
    assert len(held.pairs()) == 3
    assert all(slot in held for slot in range(0, 20, 2))


def test_oldest_slot_is_the_first_that_is_not_late() -> None:
    """A slot is open until its end plus the memory, inclusive."""
    end = 10 * 30_000_000
    assert oldest_slot(end + 120_000_000, remember_us=120_000_000) == 9
    assert oldest_slot(end + 120_000_001, remember_us=120_000_000) == 10


def test_one_key_for_all_texts_of_a_unit() -> None:
    """Texts of one unit share an index; a text without a key is named and left out."""
    cache = LabelCache(4)
    key = cache.read([TAG])[0].keys[0]
    labels, refused = cache.read(["E280", TAG, key, "01/00614141123453/21/7"])
    assert labels.keys == ("hex/E280", key)
    assert labels.scanned == {1}
    assert labels.key_of is not None
    assert labels.kept is not None
    assert labels.key_of.tolist()[:3] == [0, 1, 1]
    assert labels.kept.tolist() == [True, True, True, False]
    assert [i for i, _ in refused] == [3]
    assert cache.read(["E280", TAG])[0].key_of is None


def test_a_point_has_its_own_rule(make_door: Any) -> None:
    """Thresholds are per read point."""
    door = make_door(points={"dock-1": Rule(silence_us=1_000_000, observe_count=1)})
    rows = door.reads((1.0, TAG))
    assert [row.form.state for row in rows] == [1]
    rows = door.reads((1.0, TAG), read_point="dock-2", door="dock")
    assert [row.form.state for row in rows] == [0]


def test_a_reader_far_ahead_of_log_time_does_not_stay_open(door: Any) -> None:
    """Reads from tomorrow close like a file's, a minute after the last of them."""
    door.reads((86_400, TAG), at_s=0)
    assert [row.marks for row in door.tick(61)] == [Mark.FINAL]


def test_mixed_live_and_buffered_reads_are_one_sighting(door: Any) -> None:
    """What a reader kept during an outage joins the live reads of the same slot; the slot waits for both clocks."""
    door.reads((1.0, TAG), (2.0, TAG))
    door.reads((3.0, TAG), at_s=4, origin="buffered", source="b")
    assert not door.tick(20)
    (row,) = door.end("b", at_s=21)
    assert (row.reads, row.marks, len(row.runs)) == (3, Mark.FINAL, 1)


def test_reader_events_say_nothing_here(door: Any, make_event: Any) -> None:
    """What a reader lost is told once, by the gateway that heard it: smooth adds no word and no sighting."""
    door.reads((1.0, TAG))
    before = len(door.outputs)
    for kind, lost in (("overflow", 7), ("heartbeat", None)):
        assert not door.apply(make_event(type=kind, lost=lost, at_s=3.0), at_s=3)
    assert len(door.outputs) == before


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 6), st.integers(0, 2**44 - 1), st.integers(0, 2**38 - 1))))
def test_keys_by_item_are_the_keys_of_the_identifiers(words: list[tuple[int, int, int, int]]) -> None:
    """The short way for new serials of a known item says what schemas says, key and partition."""
    cache = LabelCache(24)
    for filter_value, partition, item, serial in words:
        for near in {serial, serial ^ 1, serial ^ 4096}:
            text = f"{(0x30 << 88) | (filter_value << 85) | (partition << 82) | (item << 38) | near:024X}"
            key = cache.read([text])[0].keys[0]
            assert key == tag_key(text)
            assert cache.partition(key) == tag_partition(key, 24)
