"""What the shell notices beside its records: writes of others into a silent changelog, and records that are gone."""

import asyncio
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest

from lotstream.streams.engine.config import EngineConfig, Event, ExitCode, Jumped
from lotstream.streams.engine.core import Acknowledge, Output, Record
from lotstream.streams.engine.ledger import SourcePartition
from tests.property.streams.engine.conftest import STAGES, Client, Ended, Logs, Shell


class Trimmed(Client):
    """A broker whose source has lost its first records."""

    start = 3

    async def log_starts(self, sources: Iterable[SourcePartition]) -> Mapping[SourcePartition, int]:
        return dict.fromkeys(sources, self.start)


async def owner(client: Client, stage: Acknowledge, **more: object) -> Shell:
    config = EngineConfig(brokers=("-",), group_prefix="-", **more)  # type: ignore[arg-type]
    shell = Shell(replace(STAGES[stage], gone=say), config=config, broker=client)
    client.logs.owners[0] = client
    await shell.take_over([0])
    shell.flow()
    return shell


def say(jumped: Jumped) -> Output:
    return Output("gone", 0, f"{jumped.topic}:{jumped.partition} {jumped.expected}-{jumped.start}".encode())


@pytest.mark.parametrize("stage", Acknowledge)
def test_a_write_of_another_is_seen_without_an_own_one(stage: Acknowledge) -> None:
    """The owner of a partition in which nothing happens ends when somebody else wrote to its changelog."""

    async def live() -> ExitCode | None:
        logs = Logs()
        shell = await owner(Client(logs, random.Random(1)), stage)
        await shell.watch()
        assert shell.ended is None
        logs.records["changelog", 0].append((b"K1", b"99", ()))
        with pytest.raises(Ended):
            await shell.watch()
        return shell.ended

    assert asyncio.run(live()) is ExitCode.FENCED


@pytest.mark.parametrize("committed", [None, 1])
def test_records_that_are_gone_are_told_before_reading_goes_on(committed: int | None) -> None:
    """Below the log's start nothing can be read: the message that says so is delivered first, and no hole is seen."""
    events: list[Event] = []

    async def live() -> list[bytes | None]:
        logs = Logs()
        logs.records["in", 0] = [(None, b"%d" % number, ()) for number in range(6)]
        if committed is not None:
            logs.commits["in", 0] = committed
        client = Trimmed(logs, random.Random(1))
        shell = await owner(client, Acknowledge.MESSAGE, on_event=events.append)
        Trimmed.start = 5
        await shell.receive(Record("in", 0, 5, 0, None, b"5"))
        Trimmed.start = 3
        return [value for _, value, _ in logs.records["gone", 0]]

    said = asyncio.run(live())
    # who never read from the log has lost nothing at its start
    assert said == ([b"in:0 1-3"] if committed is not None else []) + [b"in:0 3-5"]
    assert len([event for event in events if isinstance(event, Jumped)]) == len(said)
