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


def test_what_a_replaced_owner_said_too_late_is_said_over() -> None:
    """A statement that is not the owner's, in a topic that it alone writes, is followed by all that stands there."""

    async def live() -> list[bytes | None]:
        logs = Logs()
        logs.records["in", 0] = [(None, b"6", ())]
        logs.records["latest", 0] = [(b"0", b"old", ())]
        client = Client(logs, random.Random(1))
        stage = replace(
            STAGES[Acknowledge.MESSAGE],
            exclusive=("latest",),
            restate=lambda core: [Output("latest", 0, b"6 holds", key=b"0", absolute=True)],
        )
        shell = Shell(stage, config=EngineConfig(brokers=("-",), group_prefix="-", linger_s=0.0), broker=client)
        steps = [asyncio.ensure_future(step) for step in shell.outbox.steps()]
        logs.owners[0] = client
        await shell.take_over([0])
        shell.flow()
        await shell.receive(Record("in", 0, 0, 0, None, b"6"))
        await shell.outbox.settled()
        await shell.watch()
        assert len(logs.records["latest", 0]) == 1
        logs.records["latest", 0].append((b"0", b"0 holds", ()))
        for _ in range(3):
            await shell.watch()
            await shell.outbox.settled()
        for step in steps:
            step.cancel()
        return [value for _, value, _ in logs.records["latest", 0]]

    assert asyncio.run(live()) == [b"old", b"0 holds", b"6 holds"]


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
