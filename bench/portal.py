"""The portal load: units pass through doors; every door always has as many tags in its field.

A visit is a fixed number of reads, the first half on one side of the door, the second half on the other. Every second
unit goes inward; in its next pass it goes through the next door, the other way.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import orjson

from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.events import Action, EventType, Ilmd, SerialRange, TraceEvent
from lotstream.schemas.reads import Ints, pack

BATCH_US = 500_000
READ_US = 1_000
PREFIX = 614_141  # a GS1 company prefix of seven digits with its leading zero
ITEM = 812_345
SECOND = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """Sizes of the load. Reads in total: points x batches x batch."""

    points: int = 40
    field: int = 60
    visit: int = 20
    batch: int = 500
    batches: int = 50  # per read point
    lots: int = 20
    start_us: int = 1_795_000_020 * SECOND
    origin: Origin = Origin.LIVE
    seed: int = 1

    @property
    def reads(self) -> int:
        """Reads of the whole load."""
        return self.points * self.batches * self.batch

    @property
    def cohort(self) -> int:
        """Units that pass a door in one pass of 40 s: a unit is seen at one door at a time."""
        return 40 * SECOND // READ_US // self.visit

    @property
    def units(self) -> int:
        """Units in the world: one cohort per door."""
        return self.cohort * self.points

    def epc(self, unit: int) -> str:
        """SGTIN-96 of a unit."""
        return f"{(0x30 << 88) | (1 << 85) | (5 << 82) | (PREFIX << 58) | (ITEM << 38) | unit:024X}"


@dataclass(frozen=True, slots=True)
class Batch:
    """Reads of one door as the world has them: columns, and the sequence number of the batch at its door."""

    point: int
    number: int
    unit: Ints
    antenna: Ints
    time_us: Ints
    rssi: Ints


INNER, OUTER = (1, 2), (3, 4)


def world(portal: Portal) -> Iterator[Batch]:
    """All batches, in the order of time."""
    doors = [_door(portal, point) for point in range(portal.points)]
    for number in range(portal.batches):
        for door in doors:
            yield door[number]


def _door(portal: Portal, point: int) -> list[Batch]:
    chance = np.random.default_rng((portal.seed, point))
    n = portal.batches * portal.batch
    lane = chance.integers(0, portal.field, n)
    order = np.argsort(lane, kind="stable")
    sizes = np.bincount(lane, minlength=portal.field)
    rank = np.empty(n, np.int64)
    rank[order] = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rank += (lane * portal.visit) // portal.field  # visits of the lanes do not start together
    place = rank % portal.visit
    passing = (rank // portal.visit) * portal.field + lane
    turn, seat = passing // portal.cohort, passing % portal.cohort
    unit = seat * portal.points + (point + turn) % portal.points
    first_half = place < portal.visit // 2
    inner = first_half ^ ((turn + seat) % 2 == 0)  # inward: outer side first
    antenna = np.where(inner, INNER[0], OUTER[0]) + chance.integers(0, 2, n)
    time_us = portal.start_us + np.arange(n) * READ_US + chance.integers(0, READ_US, n)
    rssi = -chance.integers(4_000, 7_000, n)
    cuts = [slice(i * portal.batch, (i + 1) * portal.batch) for i in range(portal.batches)]
    return [Batch(point, i, unit[cut], antenna[cut], time_us[cut], rssi[cut]) for i, cut in enumerate(cuts)]


def message(portal: Portal, batch: Batch, *, received_us: int) -> bytes:
    """A batch as the gateway writes it to reads.v1."""
    units, tag = np.unique(batch.unit, return_inverse=True)
    t0 = int(batch.time_us[0])
    name = f"dock-{batch.point}"
    return orjson.dumps(
        {
            "kind": "reads",
            "v": 1,
            "reader": f"reader-{batch.point}",
            "read_point": name,
            "door": name,
            "inside": f"hall-{batch.point}",
            "outside": f"yard-{batch.point}",
            "inner": INNER,
            "outer": OUTER,
            "mapping": 1,
            "stamp": {
                "received_us": received_us,
                "origin": portal.origin,
                "source": f"reader-{batch.point}",
                "request": f"{batch.number}",
            },
            "sequence": batch.number,
            "clock_offset_us": 0,
            "t0_us": t0,
            "tags": [portal.epc(unit) for unit in units.tolist()],
            "tag": pack(tag),
            "antenna": pack(batch.antenna),
            "last": pack(batch.time_us - t0),
            "rssi": pack(batch.rssi),
        }
    )


def gtin() -> str:
    """GTIN-14 of the only product: indicator, company prefix, item, check digit."""
    digits = f"8{PREFIX:07d}12345"
    total = sum(int(digit) * (3 if i % 2 == 0 else 1) for i, digit in enumerate(digits))
    return digits + str(-total % 10)


def commissionings(portal: Portal) -> list[TraceEvent]:
    """One event per lot: its units are a range of serials. It names no place, so that reads alone move units."""
    size = -(-portal.units // portal.lots)
    at_us = portal.start_us - 3_600 * SECOND
    stamp = Stamp(received_us=at_us, origin=Origin.LIVE, source="bench", request="commissioning")
    return [
        TraceEvent(
            event_type=EventType.OBJECT,
            event_hash=f"ni:///sha-256;{lot:064x}?ver=CBV2.0",
            event_time_us=at_us,
            action=Action.ADD,
            ranges=(SerialRange(gtin=gtin(), first=lot * size, last=min((lot + 1) * size, portal.units) - 1),),
            biz_step="commissioning",
            disposition="active",
            ilmd=Ilmd(lot=f"L{lot:04d}"),
            text="{}",
            subject=f"01/{gtin()}/10/L{lot:04d}",
            stamp=stamp,
        )
        for lot in range(portal.lots)
    ]
