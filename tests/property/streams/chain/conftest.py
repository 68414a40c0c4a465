"""A small world of lots, pallets and doors, run through register, resolve and locate in the plain loop."""

import dataclasses
import random
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from lotstream.runtime.settings import Settings
from lotstream.schemas.base import Origin, Stamp, slot_of
from lotstream.schemas.events import (
    Action,
    ErrorDeclaration,
    EventType,
    HoldDecision,
    Ilmd,
    LotClaim,
    Quantity,
    SerialRange,
    TraceEvent,
    Typed,
)
from lotstream.schemas.movements import LOT_LOCATIONS, LotLocations, decode_movements
from lotstream.schemas.partitions import partition_of, tag_partition
from lotstream.schemas.sightings import (
    Context,
    Mark,
    Sighting,
    SightingRows,
    decode_lot_sightings,
    decode_sightings,
    sighting_of,
)
from lotstream.streams.engine.core import Output, Stage, coalesce
from lotstream.streams.engine.plain import PlainLog, PlainLoop
from lotstream.streams.locate.chunks import Chunks
from lotstream.streams.locate.core import LocateCore
from lotstream.streams.locate.stage import build_stage as build_locate
from lotstream.streams.locate.stage import topics_of as locate_topics
from lotstream.streams.register.stage import build_stage as build_register
from lotstream.streams.resolve.core import ResolveCore, ResolveLimits
from lotstream.streams.resolve.stage import build_stage as build_resolve
from lotstream.streams.resolve.stage import topics_of as resolve_topics

GTIN = "09521234543213"
START = 1_800_000_000_000_000
SECOND = 1_000_000
PARTITIONS = 3
DEPTH = 500

Input = tuple[str, int, bytes]  # topic, partition, value


def tag(serial: int | str) -> str:
    return f"01/{GTIN}/21/{serial}"


def lot(code: str) -> str:
    return f"01/{GTIN}/10/{code}"


def pallet(number: int) -> str:
    return f"00/0952123454321{number:05d}"


class World:
    """Makes inputs, and tells what the chain makes of them."""

    GTIN, START, SECOND, PARTITIONS = GTIN, START, SECOND, PARTITIONS
    tag, lot, pallet = staticmethod(tag), staticmethod(lot), staticmethod(pallet)

    def __init__(self) -> None:
        self.settings = Settings.model_validate({"topics": {"partitions": PARTITIONS}})
        resolve, locate = build_resolve(self.settings), build_locate(self.settings)
        # bounds that these worlds do not reach: what they drop depends on the order
        limits = ResolveLimits(waiting_depth=DEPTH, parent_depth=DEPTH)
        self.stages = [
            build_register(self.settings),
            dataclasses.replace(resolve, build=lambda _: ResolveCore(resolve_topics(self.settings), limits)),
            dataclasses.replace(locate, build=lambda n: LocateCore(locate_topics(self.settings), n, depth=DEPTH)),
        ]

    def event(self, name: str, seconds: int, *, wrong: bool = False, **fields: Any) -> Input:
        """One event; its name is its hash."""
        event = TraceEvent(
            event_hash=name,
            event_time_us=START + seconds * SECOND,
            text="{}",
            subject=name,
            stamp=Stamp(received_us=START, origin=Origin.LIVE, source="erp", request="r"),
            error=ErrorDeclaration(declared_us=START) if wrong else None,
            **fields,
        )
        return "events.v1", partition_of(name, PARTITIONS), event.encode()

    def commission(self, name: str, seconds: int, code: str, first: int, last: int, **more: Any) -> Input:
        return self.event(
            name,
            seconds,
            event_type=EventType.OBJECT,
            action=Action.ADD,
            biz_step="commissioning",
            ranges=(SerialRange(gtin=GTIN, first=first, last=last),),
            ilmd=Ilmd(lot=code),
            **more,
        )

    def pack(self, name: str, seconds: int, parent: str, children: Iterable[str], **more: Any) -> Input:
        kind = {"event_type": EventType.AGGREGATION, "action": Action.ADD, "biz_step": "packing"}
        return self.event(name, seconds, parent=parent, children=tuple(children), **(kind | more))

    def unpack(self, name: str, seconds: int, parent: str, children: Iterable[str] = (), **more: Any) -> Input:
        return self.pack(name, seconds, parent, children, action=Action.DELETE, biz_step="unpacking", **more)

    def observe(self, name: str, seconds: int, tags: Iterable[str], location: str, **more: Any) -> Input:
        kind = {"event_type": EventType.OBJECT, "action": Action.OBSERVE, "biz_step": "storing"}
        return self.event(name, seconds, epcs=tuple(tags), biz_location=location, **(kind | more))

    def ship(self, name: str, seconds: int, tags: Iterable[str], location: str, **more: Any) -> Input:
        paper = {"documents": (Typed(type="desadv", id=name),), "document_line": "1"}
        return self.observe(name, seconds, tags, "", read_point="gate", **(paper | self.shipping(location) | more))

    def shipping(self, location: str) -> dict[str, Any]:
        there = (Typed(type="location", id=location), Typed(type="owning_party", id=f"owner of {location}"))
        return {"action": Action.OBSERVE, "biz_step": "shipping", "destinations": there}

    def amount(self, name: str, seconds: int, code: str, amount: str, **more: Any) -> Input:
        goods = Quantity.model_validate_json(f'{{"epc_class": "{lot(code)}", "quantity": "{amount}", "uom": "KGM"}}')
        kind = {"event_type": EventType.OBJECT, "action": Action.ADD, "biz_step": "commissioning"}
        return self.event(name, seconds, quantities=(goods,), **(kind | more))

    def hold(self, name: str, seconds: int, code: str, hold: str, **more: Any) -> Input:
        """A decision about a hold of a lot."""
        said = HoldDecision(
            hold=hold,
            lot=lot(code),
            by="ann",
            reason="a reason",
            at_us=START + seconds * SECOND,
            decision=name,
            subject=GTIN,
            stamp=Stamp(received_us=START, origin=Origin.LIVE, source="qa", request="r"),
            **more,
        )
        return "events.v1", partition_of(said.subject, PARTITIONS), said.encode()

    def claim(self, claim: str, **more: Any) -> Input:
        """A claim to a lot number."""
        said = LotClaim(
            claim=claim,
            gtin=GTIN,
            by="ann",
            subject=GTIN,
            stamp=Stamp(received_us=START, origin=Origin.LIVE, source="mes", request="r"),
            **more,
        )
        return "events.v1", partition_of(said.subject, PARTITIONS), said.encode()

    def read(
        self, unit: str, seconds: int, point: str, *, version: int = 1, marks: Mark = Mark.FINAL, **more: Any
    ) -> Input:
        """One version of a sighting, as smooth writes it."""
        at = START + seconds * SECOND
        given = {"slot": slot_of(at), "version": (0, version), "first_us": at, "last_us": at, "recorded_us": at}
        given |= {"reads": 3, "marks": int(marks), "runs": [[at, at, 3, 1, 3, -5_000]], "location": f"at {point}"}
        row = sighting_of(unit, context=Context(point, "reader", 1, 1), **(given | more))
        return "sightings.v1", tag_partition(unit, PARTITIONS), SightingRows([row]).encode()

    def run(self, inputs: Sequence[Input], *, seed: int | None = None, duplicates: float = 0.0) -> PlainLoop:
        """All inputs through the chain: in the given order, or in a disorder, some of them twice or at their end."""
        log = PlainLog(now_us=START)
        loop = PlainLoop(self.stages, log=log)
        order = list(inputs)
        chance = random.Random(seed)
        if seed is not None:
            order += [item for item in inputs if chance.random() < duplicates]
            chance.shuffle(order)
        for topic, partition, value in order:
            log.append(topic, partition, value=value)
            if seed is not None and chance.random() < 0.3:
                loop.run()
        loop.run()
        return loop

    def run_losing(self, inputs: Sequence[Input], *, turn: int) -> PlainLoop:
        """As `run`; but of every turn the first outputs are lost in a crash after the state was written."""
        loop = PlainLoop(self.stages, log=PlainLog(now_us=START))
        for topic, partition, value in inputs:
            loop.log.append(topic, partition, value=value)
        places = [(s, source, n) for s in self.stages for n in range(PARTITIONS) for source in s.sources]
        done = dict.fromkeys(((s.name, source, n) for s, source, n in places), 0)
        while sum(self._lose(loop, *place, done=done, turn=turn) for place in places):
            pass
        return loop

    def _lose(
        self, loop: PlainLoop, stage: Stage, source: str, number: int, *, done: dict[Any, int], turn: int
    ) -> bool:
        start = done[stage.name, source, number]
        records = loop.log.partition(source, number)[start : start + turn]
        outputs: list[Output] = []
        for attempt in ("lost", "replayed"):
            core, table = stage.build(number), loop.table(stage, number)
            core.load(list(table.items()))
            for record in records:
                said = list(core.apply(record))
                outputs += said if attempt == "replayed" else []
                table.update({key: value for key, value in core.changes().items() if value is not None})
        for output in coalesce(outputs):
            loop.log.write(output)
        done[stage.name, source, number] += len(records)
        return bool(records)

    def places(self, loop: PlainLoop) -> dict[str, LotLocations]:
        """The newest message about each lot; left out: its revision, and as of when, which alone makes no message."""
        newest: dict[str, LotLocations] = {}
        for record in loop.log.topic("lot-locations.v1"):
            said = LOT_LOCATIONS.validate_json(record.value or b"")
            known = newest.get(said.lot)
            assert known is None or said.revision >= known.revision, "a revision fell"
            newest[said.lot] = said
        return {key: said.model_copy(update={"revision": 0, "as_of_us": 0}) for key, said in newest.items()}

    def lot_facts(self, loop: PlainLoop) -> dict[Any, Any]:
        """What lot-sightings.v1 holds to be true: each fact at its highest version, retracted ones left out."""
        highest: dict[Any, Any] = {}
        for record in loop.log.topic("lot-sightings.v1"):
            for row in decode_lot_sightings(record.value):
                key = row.lot, row.sighting.fact
                version = row.sighting.version, row.binding, row.relabelled
                if key not in highest or version >= highest[key][0]:
                    highest[key] = version, row.sighting
        return {key: _said(row) for key, (_, row) in highest.items() if not row.marks & Mark.RETRACTED}

    def tag_facts(self, loop: PlainLoop) -> dict[Any, Any]:
        """What sightings.v1 holds to be true."""
        highest: dict[Any, Sighting] = {}
        for record in loop.log.topic("sightings.v1"):
            for row in decode_sightings(record.value):
                if row.fact not in highest or row.version >= highest[row.fact].version:
                    highest[row.fact] = row
        return {key: _said(row) for key, row in highest.items() if not row.marks & Mark.RETRACTED}

    def view(self, loop: PlainLoop) -> tuple[Any, ...]:
        """Everything that must not depend on the order."""
        return self.places(loop), self.lot_facts(loop), self.tag_facts(loop), self.tables(loop)

    def moved(self, loop: PlainLoop) -> dict[str, str]:
        """Where the last movement of each unit went."""
        rows = [row for record in loop.log.topic("movements.v1") for row in decode_movements(record.value)]
        return {row.unit: row.location for row in rows}

    def units(self, loop: PlainLoop) -> dict[str, str]:
        """Where each unit is, by the tables of locate."""
        stage = self.stages[2]
        found: dict[str, str] = {}
        for number in range(PARTITIONS):
            items = [item for item in loop.table(stage, number).items() if item[0][:1] == b"C"]
            for (name, block), units in Chunks(depth=DEPTH).load(items):
                for at, unit in units.items():
                    tag = at if isinstance(at, str) else f"{name[:17]}/21/{64 * int(block) + at}"
                    if unit.now:
                        found[tag] = unit.now.word[1]
        return found

    def tables(self, loop: PlainLoop) -> dict[str, Any]:
        """Where every unit is, by the tables of locate themselves."""
        stage = self.stages[2]
        found: dict[str, Any] = {}
        for number in range(PARTITIONS):
            core: Any = stage.build(number)
            core.load(loop.table(stage, number).items())
            for key, lot_ in core._lots.items():
                found[key] = dict(lot_.counts)
        return found


def _said(row: Sighting) -> tuple[Any, ...]:
    form = row.form
    return form.location, row.first_us, row.last_us, row.reads, form.state, form.how, form.declaration, row.runs


@pytest.fixture(scope="session")
def world() -> World:
    return World()
