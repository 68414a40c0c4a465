"""Movements of units: which message says one, and what a replay says again."""

from collections.abc import Iterable

from lotstream.runtime.settings import Settings
from lotstream.schemas.movements import Movement, decode_movements
from lotstream.schemas.sightings import Context, Declaration, How, LotSighting, LotSightingRows, sighting_of
from lotstream.streams.engine.core import Record, encode
from lotstream.streams.locate.stage import build_stage

LOT, UNIT = "01/09521234543213/10/A", "01/09521234543213/21/1"
SLOT = 60_000_000


class Locate:
    """One core over one partition, on the state of those before it."""

    def __init__(self) -> None:
        self._stage = build_stage(Settings.model_validate({"topics": {"partitions": 1}}))
        self._state: dict[bytes, bytes] = {}

    def restarted(self, messages: Iterable[bytes]) -> list[list[Movement]]:
        """The movements of each message, heard from the first one on."""
        core = self._stage.build(0)
        core.load(list(self._state.items()))
        said = []
        for offset, message in enumerate(messages):
            outputs = core.apply(Record("lot-sightings.v1", 0, offset, 0, None, message))
            movements = [decode_movements(encode(output)) for output in outputs if output.topic == "movements.v1"]
            said.append([row for rows in movements for row in rows])
            self._state |= {key: value for key, value in core.changes().items() if value is not None}
        return said


def declared(slot: int, *, location: str, disposition: str = "") -> bytes:
    at = (SLOT + slot) * 30_000_000
    row = sighting_of(
        UNIT,
        context=Context(location, "reader", 1, 1),
        location=location,
        slot=SLOT + slot,
        version=(0, slot),
        first_us=at,
        last_us=at,
        recorded_us=at,
        declaration=Declaration("e", "storing", disposition, "", "", ""),
        lane=f"event:{slot}",
        how=How.DECLARED,
    )
    return LotSightingRows([LotSighting(LOT, 1, -1, row)]).encode()


def test_a_unit_of_which_only_the_disposition_changes_does_not_move() -> None:
    """A movement is said where a unit comes to another place, and nowhere else."""
    told = [declared(0, location="dock"), declared(1, location="dock", disposition="returned")]
    assert [[row.location for row in rows] for rows in Locate().restarted(told)] == [["dock"], []]


def test_a_lost_movement_is_said_again_though_the_disposition_changed_since() -> None:
    """The state that suppresses a movement says it again on a replay, with where the unit came from."""
    told = [
        declared(0, location="dock"),
        declared(1, location="shelf"),
        declared(2, location="shelf", disposition="returned"),
    ]
    locate = Locate()
    locate.restarted(told)
    (last,) = [row for rows in locate.restarted(told) for row in rows]
    assert (last.source, last.location) == ("dock", "shelf")
