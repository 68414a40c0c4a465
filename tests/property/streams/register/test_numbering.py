"""Numbers of lots under several numberers, in any order, with duplicates, restarts and replays."""

from collections import defaultdict
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lotstream.runtime.settings import Settings
from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.events import Action, EventType, Ilmd, LotClaim, SerialRange, TraceEvent
from lotstream.schemas.lots import LOTS_MESSAGE, LotNumber, LotRecord
from lotstream.schemas.partitions import partition_of
from lotstream.streams.engine.plain import PlainLog, PlainLoop
from lotstream.streams.register.stage import build_stage

GTINS = ("09521234543213", "00614141073467")
PARTITIONS = 3
TEMPLATES = ("{site}{date:%y%j}-{seq:02}{check}", "{line}{seq:01}", "L{seq:02}")
CODES = ("L01", "L02", "X", "11")

Claims = list[LotClaim]


@st.composite
def claims(draw: st.DrawFn) -> Claims:
    """What numberers send: each its own claims, some sent again, in any order."""
    wanted = draw(st.integers(1, 25))
    made = [_claim(draw, number) for number in range(wanted)]
    again = draw(st.lists(st.sampled_from(made), max_size=10))
    return draw(st.permutations(made + again))


def _claim(draw: st.DrawFn, number: int) -> LotClaim:
    gtin = draw(st.sampled_from(GTINS))
    explicit = draw(st.booleans()) and draw(st.booleans())
    way = {"code": draw(st.sampled_from(CODES))} if explicit else {"template": draw(st.sampled_from(TEMPLATES))}
    given: dict[str, Any] = {
        "claim": f"numberer-{draw(st.integers(1, 3))}/{number}",
        "gtin": gtin,
        "site": draw(st.sampled_from("AB")),
        "line": draw(st.sampled_from("12")),
        "production_date": date(2026, 3, draw(st.integers(1, 2))),
        "by": "operator",
        "subject": gtin,
        "stamp": Stamp(received_us=1_800_000_000_000_000 + number, origin=Origin.LIVE, source="erp", request="r"),
    }
    return LotClaim(**(given | way))


class Plant:
    """The register in the plain loop, and what it said."""

    def __init__(self) -> None:
        self.stage = build_stage(Settings.model_validate({"topics": {"partitions": PARTITIONS}}))
        self.loop = PlainLoop([self.stage], log=PlainLog(), turn=3)

    def send(self, claim: LotClaim) -> None:
        value = claim.encode()
        self.loop.log.append("events.v1", partition_of(claim.subject, PARTITIONS), value=value)

    def answers(self) -> list[LotNumber]:
        said = (LOTS_MESSAGE.validate_json(record.value or b"") for record in self.loop.log.topic("lots.v1"))
        return [one for one in said if isinstance(one, LotNumber)]

    def lots(self) -> dict[tuple[str, str], set[str]]:
        """(GTIN, claim) -> what it was ever told; '' for no."""
        found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for answer in self.answers():
            found[answer.gtin, answer.claim].add(answer.lot)
        return dict(found)


@given(claims(), st.data())
def test_each_claim_has_one_number_and_each_number_one_claim(sent: Claims, data: st.DataObject) -> None:
    """No number twice, none lost, the same claim always the same number, however often the register is restarted and
    reads its log again."""
    plant = Plant()
    for claim in sent:
        plant.send(claim)
        if data.draw(st.booleans()):
            plant.loop.run()
        if data.draw(st.integers(0, 4)) == 0:
            plant.loop.restart(replay=data.draw(st.integers(0, 4)))
    plant.loop.run()
    told = plant.lots()
    assert told.keys() == {(claim.gtin, claim.claim) for claim in sent}
    assert all(len(lots) == 1 for lots in told.values())
    given_ = [lot for lots in told.values() for lot in lots if lot]
    assert len(given_) == len(set(given_))


@given(claims(), st.integers(0, 20))
def test_a_replaced_owner_says_the_same(sent: Claims, kept: int) -> None:
    """An owner that does not know it was replaced, and one that begins again with nothing or with half of the state,
    answer every claim alike: the log decides, not who reads it."""
    once = Plant()
    for claim in sent:
        once.send(claim)
    once.loop.run()
    other = Plant()
    for claim in sent[:kept]:
        other.send(claim)
    other.loop.run()
    other.loop.restart(replay=len(sent))
    for claim in sent[kept:]:
        other.send(claim)
    other.loop.run()
    assert other.lots() == once.lots()


@given(claims())
def test_a_sequence_has_no_holes(sent: Claims) -> None:
    """Numbers of a series are counted from 1, one after the other; only codes that were asked for by name are left
    out."""
    plant = Plant()
    for claim in sent:
        plant.send(claim)
    plant.loop.run()
    asked = {f"01/{claim.gtin}/10/{claim.code}" for claim in sent if claim.code}
    for gtin in GTINS:
        prefix = f"01/{gtin}/10/L"
        lots = {lot for lots in plant.lots().values() for lot in lots if lot.startswith(prefix)} - asked
        numbers = sorted(int(lot.removeprefix(prefix)) for lot in lots)
        free = (number for number in range(1, 100) if f"{prefix}{number:02}" not in asked)
        assert numbers == [next(free) for _ in numbers]


def commissioning(code: str) -> TraceEvent:
    """A lot that nobody claimed."""
    return TraceEvent(
        event_type=EventType.OBJECT,
        action=Action.ADD,
        event_hash=code,
        event_time_us=7,
        ranges=(SerialRange(gtin=GTINS[0], first=1, last=2),),
        ilmd=Ilmd(lot=code),
        text="{}",
        subject=GTINS[0],
        stamp=Stamp(received_us=7, origin=Origin.LIVE, source="erp", request="r"),
    )


@given(claims(), st.lists(st.sampled_from(["L01", "L03", "11"]), min_size=1, unique=True), st.integers(0, 9))
def test_a_lot_of_events_is_no_free_number(sent: Claims, codes: list[str], replay: int) -> None:
    """What an event has called a lot before is given to no claim, by template or by name, also after a restart."""
    plant = Plant()
    for code in codes:
        plant.loop.log.append("events.v1", partition_of(GTINS[0], PARTITIONS), value=commissioning(code).encode())
    plant.loop.run()
    plant.loop.restart(replay=replay)
    for claim in sent:
        plant.send(claim)
    plant.loop.run()
    given_ = {lot for lots in plant.lots().values() for lot in lots}
    assert not given_ & {f"01/{GTINS[0]}/10/{code}" for code in codes}


def test_a_claim_said_anew_corrects_the_lot() -> None:
    """Other master data under a known claim are a newer version of the same statement about the same lot."""
    plant = Plant()
    stamp = Stamp(received_us=7, origin=Origin.LIVE, source="erp", request="r")
    first = LotClaim(claim="c", gtin=GTINS[0], template="L{seq:02}", by="ann", subject=GTINS[0], stamp=stamp)
    plant.send(first)
    late = {"supplier_code": "S-1", "stamp": stamp.model_copy(update={"received_us": 9})}
    plant.send(first.model_copy(update=late))
    plant.loop.run()
    said = [LOTS_MESSAGE.validate_json(record.value or b"") for record in plant.loop.log.topic("lots.v1")]
    records = [one for one in said if isinstance(one, LotRecord)]
    assert [(one.code, one.event, one.supplier_code, one.recorded_us) for one in records] == [
        ("L01", "claim:c", "", 7),
        ("L01", "claim:c", "S-1", 9),
    ]
