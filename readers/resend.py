"""Dead letters go back the way they came: records to their topic, what a reader sent to the gateway's door.

    1 send the untouched bytes (or mended ones), with a header or request id that names the letter
    2 delivered, or answered
    3 the audit record

A process that dies between 2 and 3 leaves the letter open: sent again, it has the same effect once, as every read and
event that comes twice.
"""

import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import httpx
import orjson

from lotstream.readers.formats.items import AFTER, BEFORE
from lotstream.readers.letters import Letter
from lotstream.readers.messages import Message
from lotstream.readers.post import Post
from lotstream.runtime.clock import Clock
from lotstream.runtime.errors import Transient
from lotstream.runtime.retry import persist
from lotstream.runtime.settings import Settings
from lotstream.schemas.base import Origin
from lotstream.schemas.operations import LETTER_HEADER, Action, Operation
from lotstream.schemas.topics import DEAD_LETTERS, TOPICS

DOOR_S = 60.0
_BUSY = (429, 503)
_DOOR = re.compile(r"/\w[\w/]*(\?.*)?")  # of our gateway: a header of somebody else must not send a token elsewhere


class Outcome(StrEnum):
    """What came of a letter that was to be sent again."""

    SENT = "sent"  # it lies in its topic; whether it is understood now is not known yet
    TAKEN = "taken"
    REFUSED = "refused"
    KNOWN = "known"  # it had been sent or dropped before, and was left alone
    UNFIT = "unfit"  # nobody knows where it came from, or a part of it is missing


@dataclass(frozen=True, slots=True)
class Resent:
    """One letter's outcome; ``at`` is where its record lies now, for one that went to a topic."""

    letter: Letter
    outcome: Outcome
    detail: str
    at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Who sends, why, and how the gateway is reached."""

    by: str
    why: str
    url: str
    token: str = ""


class Outgoing(Protocol):
    """Where messages and audit records go: see `Post`."""

    def send(self, messages: Sequence[Message]) -> list[str]: ...

    def record(self, operations: Iterable[Operation]) -> None: ...


class Resender:
    """Sends letters again. Raises Transient when Kafka or the gateway does not answer; what was done is recorded."""

    def __init__(
        self,
        settings: Settings,
        errand: Errand,
        *,
        clock: Clock,
        stop: threading.Event,
        post: Outgoing | None = None,
        doors: httpx.Client | None = None,
    ) -> None:
        self._settings = settings
        self._errand = errand
        self._clock = clock
        self._stop = stop
        self._post = post or Post(settings)
        self._doors = doors or httpx.Client(base_url=errand.url, timeout=DOOR_S)
        self._topics = {settings.topics.name(topic.name) for topic in TOPICS if topic.name != DEAD_LETTERS}

    def send(self, letters: Sequence[Letter], *, mended: bytes | None = None) -> list[Resent]:
        """What came of each, in any order. Raises Transient, Stopped."""
        whole = [letter for letter in letters if letter.whole]
        unfit = [Resent(one, Outcome.UNFIT, "a part of it is missing") for one in letters if not one.whole]
        records = [letter for letter in whole if self._record_place(letter)]
        done = unfit + self._to_topics(records, mended)
        for letter in whole:
            if letter.said.stage == "gateway":
                done.append(self._to_door(letter, mended))
            elif not self._record_place(letter):
                done.append(Resent(letter, Outcome.UNFIT, f"{letter.said.origin!r} is no record of a topic of ours"))
        return done

    def _record_place(self, letter: Letter) -> tuple[str, int] | None:
        """(topic, partition) of the record that the letter was."""
        topic, _, place = letter.said.origin.partition(":")
        partition = place.partition(":")[0]
        if letter.said.stage == "gateway" or topic not in self._topics or not partition.isdecimal():
            return None
        return topic, int(partition)

    def _to_topics(self, letters: Sequence[Letter], mended: bytes | None) -> list[Resent]:
        # 1 send
        messages = []
        for letter in letters:
            topic, partition = self._record_place(letter) or ("", 0)
            kept = tuple(pair for pair in letter.headers if pair[0] != LETTER_HEADER)
            headers = (*kept, (LETTER_HEADER, letter.id.encode()))
            value = letter.value if mended is None else mended
            messages.append(Message(topic, partition, letter.key or b"", value, headers))
        # 2 delivered
        places = self._post.send(messages)
        # 3 recorded
        resent = [Resent(one, Outcome.SENT, at, at) for one, at in zip(letters, places, strict=True)]
        self._record(resent, mended)
        return resent

    def _to_door(self, letter: Letter, mended: bytes | None) -> Resent:
        said = {name: value.decode("utf-8", "replace") for name, value in letter.headers}
        if not _DOOR.fullmatch(said.get("path", "")):
            return Resent(letter, Outcome.UNFIT, "the door that it came by is not known")
        body = letter.value if mended is None else mended
        frame = dict(letter.headers)
        if mended is None:
            body = frame.get(BEFORE, b"") + body + frame.get(AFTER, b"")
        headers = _request(letter, said)
        if self._errand.token:
            headers["Authorization"] = f"Bearer {self._errand.token}"
        # 1 send, 2 answered
        answer = persist(
            lambda: self._answer(said["path"], body, headers=headers), stop=self._stop, within_s=10 * DOOR_S
        )
        resent = _understood(letter, answer)
        # 3 recorded; a request that the gateway refused as a whole has changed nothing
        if answer.is_success:
            self._record([resent], mended)
        return resent

    def _answer(self, path: str, body: bytes, *, headers: dict[str, str]) -> httpx.Response:
        try:
            words = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
            answer = self._doors.post(path, content=body, headers=words)
        except httpx.TransportError as error:
            raise Transient(f"Expected the gateway at {self._errand.url}, got {type(error).__name__}.") from None
        if answer.status_code in _BUSY:
            wait = answer.headers.get("retry-after", "1")
            raise Transient(f"Expected the gateway to take it, got {answer.text}", retry_after_s=float(wait))
        return answer

    def _record(self, resent: Iterable[Resent], mended: bytes | None) -> None:
        errand, now = self._errand, self._clock.now_us()
        how = "" if mended is None else "mended: "
        self._post.record(
            Operation(
                action=Action.REPLAY,
                subject=one.letter.id,
                digest=one.letter.digest,
                by=errand.by,
                why=errand.why,
                result=f"{how}{one.outcome} {one.detail}"[:2_000],
                at_us=now,
            )
            for one in resent
        )


def _request(letter: Letter, said: dict[str, str]) -> dict[str, str]:
    """The caller's words; what was live is so no more, and must not teach a clock."""
    is_file = said.get("Lotstream-Origin") == Origin.FILE
    return {
        "Content-Type": said.get("Content-Type", "application/json"),
        "Lotstream-Origin": (Origin.FILE if is_file else Origin.BUFFERED).value,
        "Lotstream-Reader": said.get("Lotstream-Reader", ""),
        "Lotstream-Source": letter.said.source,
        "Lotstream-Received": str(letter.said.received_us),
        "X-Request-Id": letter.id,
    }


def _understood(letter: Letter, answer: httpx.Response) -> Resent:
    try:
        found = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        found = {}
    if not answer.is_success:
        return Resent(letter, Outcome.REFUSED, str(found.get("detail") or f"{answer.status_code} of the gateway"))
    if found.get("rejected"):
        first = (found.get("dead_letters") or found.get("errors") or [{}])[0]
        return Resent(letter, Outcome.REFUSED, f"{first.get('reason') or first.get('error')}: {first.get('detail')}")
    return Resent(letter, Outcome.TAKEN, f"{found.get('accepted', 0)} accepted")
