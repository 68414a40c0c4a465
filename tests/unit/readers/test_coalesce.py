"""Dead letters of many requests."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from lotstream.readers.coalesce import Letters
from lotstream.readers.messages import Message


@dataclass
class Calls:
    """Takes everything, call by call."""

    taken: list[list[Message]] = field(default_factory=list)

    async def send(self, messages: Sequence[Message]) -> None:
        self.taken.append(list(messages))


def _letter(number: int) -> Message:
    return Message("dead-letters.v1", number % 4, f"r{number}".encode(), b"no tag")


def test_the_first_goes_at_once_the_others_together() -> None:
    """What comes after a letter goes out in one piece, in the partition of its first, each under its own source."""

    async def scenario() -> None:
        calls = Calls()
        letters = Letters(calls.send)
        assert await letters.add([_letter(0)]) is None
        assert await asyncio.gather(*(letters.add([_letter(n)]) for n in range(1, 20))) == [None] * 19
        first, rest = calls.taken
        assert first == [_letter(0)]
        assert [letter.key for letter in rest] == [f"r{n}".encode() for n in range(1, 20)]
        assert {letter.partition for letter in rest} == {1}

    asyncio.run(scenario())
