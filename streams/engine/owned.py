"""One partition number that this process owns: its core, its ledgers, its place in the changelog."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import NoReturn

from lotstream.streams.engine.changelog import ITEM, owner_headers
from lotstream.streams.engine.core import Core
from lotstream.streams.engine.ledger import SourceLedger
from lotstream.streams.engine.mirror import Mirror
from lotstream.streams.engine.outbox import Changes, Delivered, Message, Sender, Sent
from lotstream.streams.engine.snapshot import SnapshotWriter

UNKNOWN = -1  # the offset that a broker names for a batch which it had taken before and knows no more


class Changelog:
    """The changelog of one partition as its owner writes it.

    The owner is the only one to write after its fence, so its offsets follow each other without a hole. A hole is
    somebody else's record: `fenced(reason)` is called, and must not return. `end` is where the partition ends when all
    that was sent so far has arrived. The mirror follows what did arrive.
    """

    def __init__(
        self, topic: str, number: int, *, fence: int, sender: Sender, mirror: Mirror, fenced: Callable[[str], NoReturn]
    ) -> None:
        self.topic = topic
        self.number = number
        self.last: int | None = fence
        self.end = fence + 1
        self._fence = fence
        self._headers = owner_headers(fence)
        self._mirror = mirror
        self._sender = sender
        self._fenced = fenced

    async def append(self, records: Iterable[tuple[bytes, bytes | None]]) -> list[Sent]:
        """Send records in this order."""
        messages: list[Message] = [(key, value, self._headers) for key, value in records]
        self.end += len(messages)
        sent = await self._sender.send((self.topic, self.number), messages)
        at = 0
        for part in sent:
            part.delivery.add_done_callback(partial(self._check, messages[at : at + part.count]))
            at += part.count
        return sent

    def verify(self, end: int) -> None:
        """Compare with where the partition was seen to end, before now."""
        if end > self.end:
            self._fenced(f"Expected {self.topic}:{self.number} to end at {self.end} at most, got {end}.")

    def _check(self, messages: list[Message], delivery: asyncio.Future[Delivered]) -> None:
        if delivery.cancelled() or delivery.exception() is not None:
            return
        offset = delivery.result().offset
        if self.last is not None and offset not in (self.last + 1, UNKNOWN):
            self._fenced(f"Expected offset {self.last + 1} in {self.topic}:{self.number}, got {offset}.")
        self.last = None if offset == UNKNOWN else offset + len(messages) - 1
        through = None if self.last is None else self.last + 1
        records = [(key, value) for key, value, _ in messages if key is not None]
        self._mirror.follow(self.number, records, owner=self._fence, through=through)


@dataclass(slots=True)
class Owned:
    """`mine` turns False when the partition is given back: what was decided for it is then not stored any more."""

    number: int
    core: Core
    sources: Mapping[str, SourceLedger]
    changelog: Changelog | None
    guard: Callable[[str], AbstractContextManager[None]]
    snapshot: SnapshotWriter | None = None
    mine: bool = True
    dirty: bool = False
    heard_at: float = field(default=0.0)

    def collect(self) -> Changes:
        """What changed in the core since last asked."""
        with self.guard(f"changes of partition {self.number}"):
            return self.core.changes()

    async def store(self, changes: Changes) -> list[Sent]:
        """Send changes to the changelog, as items."""
        if not self.mine or self.changelog is None:
            return []
        return await self.changelog.append((ITEM + key, value) for key, value in changes.items())

    def through(self) -> dict[str, int]:
        """Per source topic the first offset that has not been applied."""
        return {topic: source.expected for topic, source in self.sources.items()}
