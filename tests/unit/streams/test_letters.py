"""Dead letters of the stages, and records that a person has parked."""

from collections.abc import Iterable, Mapping

from lotstream.runtime.errors import Reason, Rejected
from lotstream.runtime.settings import Settings
from lotstream.schemas.operations import original, parse_dead_letter
from lotstream.streams.engine.core import Acknowledge, Output, Record, Stage
from lotstream.streams.engine.plain import PlainLog, PlainLoop
from lotstream.streams.letters import dead_letter, passing
from lotstream.streams.run import STAGES

PARTITIONS = 4
SETTINGS = Settings.model_validate({"topics": {"prefix": "p7.", "partitions": PARTITIONS}})
DEAD = "p7.dead-letters.v1"
WHY = Rejected(Reason.PARKED, "Expected a record to decide, got one parked by ann: it stops.")


class Touchy:
    """A core with a mistake: it cannot stand the value b'poison'."""

    def load(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        return

    def apply(self, record: Record) -> Iterable[Output]:
        if record.value == b"poison":
            raise ZeroDivisionError
        return [Output("out", record.partition, record.value or b"")]

    def changes(self) -> Mapping[bytes, bytes | None]:
        return {}


TOUCHY = Stage(
    name="touchy",
    sources=("p7.in",),
    partitions=PARTITIONS,
    build=lambda _: Touchy(),
    changelog=None,
    acknowledge=Acknowledge.MESSAGE,
)


def test_a_letter_carries_the_whole_record() -> None:
    """Bytes, key and headers of the record are in its letter, untouched."""
    record = Record("p7.reads.v1", 2, 9, 5, b"door", b"\xffbytes", (("h", b"v"),))
    made = dead_letter(record, WHY, stage="smooth", topic=DEAD, partitions=PARTITIONS, source="r1")
    assert (made.rows, made.key) == (b"\xffbytes", b"r1")
    assert original(made.headers) == (b"door", (("h", b"v"),))
    told = parse_dead_letter(made.headers)
    assert (told.origin, told.source, told.stage, told.reason) == ("p7.reads.v1:2:9", "r1", "smooth", Reason.PARKED)


def test_a_parked_record_is_passed_over_on_every_replay() -> None:
    """Its place is taken by a dead letter with its bytes, in every run; the records around it are decided."""
    stage = passing(TOUCHY, {"p7.in:1:1": WHY}, topic=DEAD)
    log = PlainLog()
    for value in (b"a", b"poison", b"b"):
        log.append("p7.in", 1, value=value, key=b"k")
    for times in (1, 2):
        PlainLoop([stage], log=log).run()
        assert [record.value for record in log.partition("out", 1)] == [b"a", b"b"] * times
        letters = list(log.topic(DEAD))
        assert [letter.value for letter in letters] == [b"poison"] * times
    told = parse_dead_letter(letters[0].headers)
    assert (told.reason, told.stage, told.origin) == (Reason.PARKED, "touchy", "p7.in:1:1")


def test_parks_of_others_cost_nothing() -> None:
    """A stage none of whose records is parked is the stage itself."""
    assert passing(TOUCHY, {"p7.in2:1:1": WHY, "in:1:1": WHY}, topic=DEAD) is TOUCHY


def test_every_stage_can_pass_over_a_record() -> None:
    """Whatever a stage reads, a parked record of it becomes one dead letter and nothing else."""
    for build in STAGES.values():
        stage = build(SETTINGS)
        parks = {f"{topic}:0:0": WHY for topic in stage.sources}
        log = PlainLog()
        for topic in stage.sources:
            log.append(topic, 0, value=b"poison")
        PlainLoop([passing(stage, parks, topic=DEAD)], log=log).run()
        told = [parse_dead_letter(letter.headers) for letter in log.topic(DEAD)]
        assert sorted(letter.origin for letter in told) == sorted(parks)
        assert {letter.reason for letter in told} == {Reason.PARKED}
