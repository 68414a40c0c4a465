"""The same stages without Faust and without Kafka: logs are lists, a run goes on until nothing is left to
read.

Deterministic: the same log and the same calls give the same result. It is the oracle of the tests and
benches.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from lotstream.streams.engine.core import Acknowledge, Core, Headers, Output, Record, Stage, coalesce, encode


class PlainLog:
    """Topics as lists of records per partition; `now_us` is the append time of what is appended next."""

    def __init__(self, *, now_us: int = 0) -> None:
        self.now_us = now_us
        self._records: defaultdict[tuple[str, int], list[Record]] = defaultdict(list)

    def append(
        self,
        topic: str,
        partition: int,
        *,
        value: bytes | None,
        key: bytes | None = None,
        headers: Headers = (),
    ) -> Record:
        records = self._records[topic, partition]
        record = Record(topic, partition, len(records), self.now_us, key, value, headers)
        records.append(record)
        return record

    def write(self, output: Output) -> Record:
        """Append an output as the message that it becomes."""
        value = encode(output)
        return self.append(output.topic, output.partition, value=value, key=output.key, headers=output.headers)

    def partition(self, topic: str, number: int) -> Sequence[Record]:
        """The records of a partition; what is appended later is in it too."""
        return self._records[topic, number]

    def topic(self, topic: str) -> Iterator[Record]:
        """All records of a topic, partition after partition."""
        for name, number in sorted(key for key in self._records if key[0] == topic):
            yield from self._records[name, number]

    def disturbed(self, seed: int, *, duplicates: float = 0.0, topics: Iterable[str] = ()) -> "PlainLog":
        """A copy where the records of every partition are permuted and some come twice.

        Append times stay ascending, as a broker's are. `topics` limits the disturbance (and the copy) to
        these.
        """
        chance = random.Random(seed)  # noqa: S311 - a reproducible disorder, not a secret
        wanted = frozenset(topics)
        copy = PlainLog(now_us=self.now_us)
        for (topic, number), records in sorted(self._records.items(), key=lambda item: item[0]):
            if wanted and topic not in wanted:
                continue
            order = [record for record in records for _ in range(2 if chance.random() < duplicates else 1)]
            chance.shuffle(order)
            times = sorted(record.timestamp_us for record in order)
            for record, copy.now_us in zip(order, times, strict=True):
                copy.append(topic, number, value=record.value, key=record.key, headers=record.headers)
        copy.now_us = self.now_us
        return copy


class PlainLoop:
    """Runs stages over a log. `turn` is how many records of one source partition are taken in one go."""

    def __init__(self, stages: Iterable[Stage], *, log: PlainLog, turn: int = 64) -> None:
        self.log = log
        self.stages = tuple(stages)
        self._turn = turn
        self._tables: defaultdict[tuple[str, int], dict[bytes, bytes]] = defaultdict(dict)
        self._positions: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._cores: dict[tuple[str, int], Core] = {}

    def core(self, stage: Stage, partition: int) -> Core:
        """The core of a partition number, built and loaded when first asked for."""
        core = self._cores.get((stage.name, partition))
        if core is None:
            core = self._cores[stage.name, partition] = stage.build(partition)
            core.load(list(self.table(stage, partition).items()))
        return core

    def table(self, stage: Stage, partition: int) -> dict[bytes, bytes]:
        """What the changelog of a partition holds: the newest value of each key."""
        return self._tables[stage.name, partition]

    def run(self) -> int:
        """Read until no stage has anything left; returns the number of records applied."""
        total = 0
        while applied := self._round():
            total += applied
        return total

    def idle(self) -> int:
        """Append the idle record of every partition of every stage that makes one, then run."""
        for stage in self.stages:
            if stage.idle is not None:
                for number in range(stage.partitions):
                    self.log.write(stage.idle(number))
        return self.run()

    def restart(self, *, replay: int = 0) -> None:
        """Forget all cores, as a crash does; stages of kind MESSAGE read `replay` records again."""
        self._cores.clear()
        for stage in self.stages:
            if stage.acknowledge is Acknowledge.MESSAGE:
                for place in [place for place in self._positions if place[0] == stage.name]:
                    self._positions[place] = max(0, self._positions[place] - replay)

    def _round(self) -> int:
        return sum(
            self._read(stage, source, number=number)
            for stage in self.stages
            for number in range(stage.partitions)
            for source in stage.sources
        )

    def _read(self, stage: Stage, source: str, *, number: int) -> int:
        place = (stage.name, source, number)
        start = self._positions[place]
        records = self.log.partition(source, number)[start : start + self._turn]
        if not records:
            return 0
        core = self.core(stage, number)
        outputs: list[Output] = []
        for record in records:
            outputs.extend(core.apply(record))
            if stage.acknowledge is Acknowledge.MESSAGE:
                self._keep(stage, core, number=number)
        self._keep(stage, core, number=number)
        self._positions[place] = start + len(records)
        for output in coalesce(outputs):
            self.log.write(output)
        return len(records)

    def _keep(self, stage: Stage, core: Core, *, number: int) -> None:
        table = self.table(stage, number)
        for key, value in core.changes().items():
            if value is None:
                table.pop(key, None)
            else:
                table[key] = value
