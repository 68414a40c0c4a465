"""The plain loop runs stages to quiescence, deterministically, with state that survives a restart."""

from collections.abc import Iterable, Mapping

import pytest

from lotstream.streams.engine.core import JOINED_ROWS, Acknowledge, Output, Record, Stage, coalesce
from lotstream.streams.engine.plain import PlainLog, PlainLoop


class Words:
    """Rows made of words, one per line."""

    def __init__(self, *words: bytes) -> None:
        self.words = list(words)

    def __len__(self) -> int:
        return len(self.words)

    def extend(self, other: "Words") -> None:
        self.words += other.words

    def encode(self) -> bytes:
        return b"\n".join(self.words)


class Counting:
    """Counts words; says the count of each word it sees to the topic `counts`."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.counts: dict[bytes, int] = {}
        self._changed: set[bytes] = set()

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        self.counts = {key: int(value) for key, value in items}

    def apply(self, record: Record) -> Iterable[Output]:
        for word in (record.value or b"").split():
            self.counts[word] = self.counts.get(word, 0) + 1
            self._changed.add(word)
            yield Output("counts", self.partition, Words(b"%s=%d" % (word, self.counts[word])))

    def changes(self) -> Mapping[bytes, bytes | None]:
        changed = {word: str(self.counts[word]).encode() for word in self._changed}
        self._changed.clear()
        return changed


class Silent(Counting):
    """Counts, and says nothing."""

    def apply(self, record: Record) -> Iterable[Output]:
        list(super().apply(record))
        return ()


def counting(**changes: object) -> Stage:
    values = {
        "name": "count",
        "sources": ("words",),
        "partitions": 2,
        "build": Counting,
        "changelog": "c",
        "acknowledge": Acknowledge.MESSAGE,
    }
    return Stage(**{**values, **changes})  # type: ignore[arg-type]


def test_run_to_quiescence() -> None:
    """Every record of every partition is applied once, in order, and outputs land in the log."""
    log = PlainLog(now_us=5)
    log.append("words", 0, value=b"a b")
    log.append("words", 1, value=b"a")
    log.append("words", 0, value=b"b")
    loop = PlainLoop([counting()], log=log)
    assert loop.run() == 3
    assert [record.value for record in log.topic("counts")] == [b"a=1\nb=1\nb=2", b"a=1"]
    assert loop.run() == 0


def test_state_survives_a_restart() -> None:
    """After a restart a core starts from what its changes said."""
    log = PlainLog()
    loop = PlainLoop([counting()], log=log)
    log.append("words", 0, value=b"a a")
    loop.run()
    loop.restart()
    log.append("words", 0, value=b"a")
    loop.run()
    assert loop.table(loop.stages[0], 0) == {b"a": b"3"}
    loop.restart(replay=1)
    assert loop.run() == 1


def test_a_stage_feeds_the_next() -> None:
    """Outputs of one stage are read by the next in the same run."""
    log = PlainLog()
    log.append("words", 0, value=b"a")
    loop = PlainLoop([counting(), counting(name="again", sources=("counts",), build=Silent)], log=log)
    assert loop.run() == 2
    assert loop.table(loop.stages[1], 0) == {b"a=1": b"1"}


def test_idle_records_are_read() -> None:
    """An idle record is appended to each partition and read like any other."""
    log = PlainLog()
    loop = PlainLoop([counting(idle=lambda number: Output("words", number, b"tick"))], log=log)
    assert loop.idle() == 2
    assert loop.table(loop.stages[0], 1) == {b"tick": b"1"}


def test_disturbed_keeps_the_content() -> None:
    """A disturbed log holds the same records in the same partitions, duplicates aside, at ascending times."""
    log = PlainLog()
    for number in range(40):
        log.now_us = number
        log.append("words", number % 3, value=b"%d" % number)
    copy = log.disturbed(7, duplicates=0.5)
    for number in range(3):
        mine, theirs = log.partition("words", number), copy.partition("words", number)
        assert {record.value for record in mine} == {record.value for record in theirs}
        assert len(theirs) > len(mine)
        assert [record.value for record in theirs] != [record.value for record in mine]
        assert [record.timestamp_us for record in theirs] == sorted(record.timestamp_us for record in theirs)
        assert [record.offset for record in theirs] == list(range(len(theirs)))
    assert list(log.disturbed(7, duplicates=0.5).topic("words")) == list(copy.topic("words"))


def test_coalesce_keeps_the_order_and_stops_at_keys() -> None:
    """Rows are joined per target partition, never across another key, other headers or a finished message."""
    joined = coalesce(
        [
            Output("t", 0, Words(b"1")),
            Output("t", 1, Words(b"2")),
            Output("t", 0, Words(b"3")),
            Output("t", 0, Words(b"4"), key=b"k"),
            Output("t", 0, b"5"),
            Output("t", 0, Words(b"6")),
        ]
    )
    said = [(o.partition, o.rows if isinstance(o.rows, bytes) else o.rows.encode()) for o in joined]
    assert said == [(0, b"1\n3"), (1, b"2"), (0, b"4"), (0, b"5"), (0, b"6")]


def test_messages_stay_small_enough_for_a_broker() -> None:
    """Rows are joined up to a number, however many there are."""
    outputs = [Output("t", 0, Words(*[b"w"] * (JOINED_ROWS // 2))) for _ in range(5)]
    assert [len(joined.rows) for joined in coalesce(outputs)] == [JOINED_ROWS, JOINED_ROWS, JOINED_ROWS // 2]


def test_a_stage_says_what_is_wrong_with_it() -> None:
    """A stage without sources, without partitions, or with checkpoints and no changelog is refused."""
    for wrong in (
        {"sources": ()},
        {"partitions": 0},
        {"acknowledge": Acknowledge.CHECKPOINT, "changelog": None},
    ):
        with pytest.raises(ValueError, match="Expected"):
            counting(**wrong)
