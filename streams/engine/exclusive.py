"""Topics whose partition n is written by the owner of n alone, with statements that replace each other by key.

A replaced owner that wakes up may still put an old statement behind a newer one, and compaction would keep the old one.
Every message takes one offset: a partition that ends beyond what was there at the start and what was sent since has
been written by somebody else, and what stands in it is said again.
"""

from collections.abc import Iterable, Mapping, Sequence

from lotstream.streams.engine.outbox import Message, Place, Sender, Sent


class Exclusive:
    """A sender that counts what goes into such topics."""

    def __init__(self, sender: Sender, topics: Sequence[str]) -> None:
        self._sender = sender
        self._topics = topics
        self._ends: dict[Place, int] = {}

    async def send(self, place: Place, messages: Sequence[Message]) -> list[Sent]:
        """Hand messages over, as the sender does."""
        if place in self._ends:
            self._ends[place] += len(messages)
        return await self._sender.send(place, messages)

    def places(self, numbers: Iterable[int]) -> list[Place]:
        """The partitions that go with these numbers."""
        return [(topic, number) for number in numbers for topic in self._topics]

    def begin(self, ends: Mapping[Place, int]) -> None:
        """Count from here: where the partitions end before the first own message."""
        self._ends.update(ends)

    def forget(self, number: int) -> None:
        """Somebody else's now."""
        for place in self.places([number]):
            self._ends.pop(place, None)

    def strange(self, ends: Mapping[Place, int]) -> set[int]:
        """Numbers of partitions that end, as seen before now, beyond what was sent; each is told once."""
        beyond = {place: end for place, end in ends.items() if end > self._ends.get(place, end)}
        self._ends.update(beyond)
        return {number for _, number in beyond}
