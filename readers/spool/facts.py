"""What the spool changes in a message, and what it says about those that it could not take. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from lotstream.readers.messages import Message
from lotstream.readers.spool.segments import Damage
from lotstream.schemas.base import Origin
from lotstream.schemas.operations import BlindWindow

GATEWAY = "gateway"  # the subject of what concerns every reader of this gateway
MAX_SUBJECTS = 10_000
_KEPT_LIVE = frozenset({"reads", "reader_event", "quantity_scan"})


def buffered(message: Message) -> Message:
    """The message as one that did not go on at once: its origin says so, all its other bytes are the same."""
    content = _content(message)
    if content.get("kind") not in _KEPT_LIVE or content["stamp"]["origin"] != Origin.LIVE:
        return message
    content["stamp"]["origin"] = Origin.BUFFERED.value
    return replace(message, value=orjson.dumps(content))


def subjects(messages: Iterable[Message]) -> set[str]:
    """The read points that messages speak of; the key of those that speak of none."""
    return {_content(message).get("read_point") or message.key.decode() or GATEWAY for message in messages}


def _content(message: Message) -> dict[str, Any]:
    try:
        content = orjson.loads(message.value)
    except orjson.JSONDecodeError:
        return {}  # a dead letter's untouched bytes
    return content if isinstance(content, dict) else {}


@dataclass(slots=True)
class Refusals:
    """Which read points were told to come again later, since when. Bounded: beyond it all of them share one window."""

    _since_us: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._since_us)

    def refuse(self, messages: Sequence[Message], *, now_us: int, why: str) -> list[BlindWindow]:
        """A window for each read point that was not yet refused."""
        names = subjects(messages)
        if len(self._since_us) + len(names) > MAX_SUBJECTS:
            names = {GATEWAY}
        opened = names - self._since_us.keys()
        self._since_us |= dict.fromkeys(opened, now_us)
        return [_window(name, from_us=now_us, until_us=None, now_us=now_us, detail=why) for name in sorted(opened)]

    def end(self, *, now_us: int) -> list[BlindWindow]:
        """The same windows with their end: requests are taken again."""
        ended = [
            _window(name, from_us=since_us, until_us=now_us, now_us=now_us, detail="taken again")
            for name, since_us in self._since_us.items()
        ]
        self._since_us.clear()
        return ended


def _window(subject: str, *, from_us: int, until_us: int | None, now_us: int, detail: str) -> BlindWindow:
    return BlindWindow(
        subject=subject,
        cause="overflow",
        from_us=from_us,
        until_us=until_us,
        detail=f"spool of the gateway: {detail}",
        recorded_us=now_us,
    )


def lost(damage: Damage, *, now_us: int) -> BlindWindow:
    """What was acknowledged and cannot be sent on."""
    return BlindWindow(
        subject=GATEWAY,
        cause="discarded",
        from_us=min(damage.from_us or damage.until_us, damage.until_us),
        until_us=damage.until_us,
        detail=f"spool of the gateway: {damage.size} bytes of {damage.file} are kept aside: {damage.why}",
        recorded_us=now_us,
    )
