"""Letters of the door: what is sent again, and how its answer is understood."""

import threading
from typing import Any

import httpx
import orjson
import pytest

from lotstream.readers.letters import Letter
from lotstream.readers.resend import Errand, Outcome, Resender
from lotstream.runtime.clock import SystemClock
from lotstream.runtime.errors import Reason, Transient
from lotstream.runtime.settings import Settings
from lotstream.schemas.operations import DeadLetter, Headers, Operation

SAID: Headers = (
    ("path", b"/reads?mapping=wms"),
    ("Content-Type", b"text/csv"),
    ("Lotstream-Origin", b"live"),
    ("Lotstream-Reader", b"r1"),
    ("frame-before", b"tag;time\n"),
)


def letter(headers: Headers = SAID, *, stage: str = "gateway", whole: bool = True) -> Letter:
    said = DeadLetter(
        reason=Reason.CSV_INVALID, detail="?", source="wms", stage=stage, origin="reads:q:1", received_us=7
    )
    return Letter("dead-letters.v1:0:3", 9, said, b"row", None, headers, whole)


class KeepingPost:
    """Keeps the audit."""

    def __init__(self) -> None:
        self.done: list[Operation] = []

    def send(self, messages: Any) -> list[str]:
        return [f"{m.topic}:{m.partition}:0" for m in messages]

    def record(self, operations: Any) -> None:
        self.done += operations


class Door:
    """A gateway that gives one answer, and keeps what it was sent."""

    def __init__(self, status: int = 200, *, retry_after: str = "", **answer: Any) -> None:
        self.requests: list[httpx.Request] = []
        self.post = KeepingPost()
        headers = {"retry-after": retry_after} if retry_after else {}

        def handle(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return httpx.Response(status, content=orjson.dumps(answer), headers=headers)

        self.doors = httpx.Client(base_url="http://gateway", transport=httpx.MockTransport(handle))

    def send(self, one: Letter, **named: Any) -> Any:
        errand = Errand(by="ann", why="test", url="http://gateway", token="t")
        resender = Resender(
            Settings(), errand, clock=SystemClock(), stop=threading.Event(), post=self.post, doors=self.doors
        )
        (resent,) = resender.send([one], **named)
        return resent


def test_an_item_goes_back_as_it_came() -> None:
    """With its frame, path, kind, reader, source and receipt; live no more, under the letter's name, with the token."""
    door = Door(accepted=1, rejected=0)
    assert door.send(letter()).outcome is Outcome.TAKEN
    (request,) = door.requests
    assert (request.url, request.content) == ("http://gateway/reads?mapping=wms", b"tag;time\nrow")
    sent = {name: request.headers[name] for name in request.headers if name.startswith(("lotstream", "x-", "auth"))}
    assert sent == {
        "lotstream-origin": "buffered",
        "lotstream-reader": "r1",
        "lotstream-source": "wms",
        "lotstream-received": "7",
        "x-request-id": "dead-letters.v1:0:3",
        "authorization": "Bearer t",
    }
    (done,) = door.post.done
    assert (done.by, done.why, done.result) == ("ann", "test", "taken 1 accepted")


def test_mended_bytes_stand_alone() -> None:
    """A mended file is sent as it is, without a frame, and the audit says so."""
    door = Door(accepted=1)
    door.send(letter(), mended=b"all of it")
    assert door.requests[0].content == b"all of it"
    assert door.post.done[0].result.startswith("mended: ")


def test_refused_again_is_recorded() -> None:
    """The door has taken the bytes into a new letter: the old one is dealt with."""
    door = Door(accepted=0, rejected=1, dead_letters=[{"reason": "csv_invalid", "detail": "Expected 2, got 1."}])
    resent = door.send(letter())
    assert (resent.outcome, resent.detail) == (Outcome.REFUSED, "csv_invalid: Expected 2, got 1.")
    assert len(door.post.done) == 1


def test_refused_as_a_whole_stays_open() -> None:
    """Where the door has kept nothing, nothing is recorded."""
    door = Door(401, detail="Expected the token of a source.")
    assert door.send(letter()).outcome is Outcome.REFUSED
    assert door.post.done == []


@pytest.mark.parametrize(
    "one",
    [letter(()), letter((("path", b"http://elsewhere/"),)), letter((("path", b"//elsewhere/x"),)),
     letter(whole=False), letter(stage="register")],
    ids=["no path", "another host", "another host, short", "a part is missing", "no record"],
)  # fmt: skip
def test_what_cannot_go_back_is_left_alone(one: Letter) -> None:
    """Without a way back, or not whole: said, and nothing is sent anywhere."""
    door = Door(accepted=1)
    assert door.send(one).outcome is Outcome.UNFIT
    assert (door.requests, door.post.done) == ([], [])


def test_a_busy_gateway_is_waited_for_as_long_as_it_says() -> None:
    """429 and 503 are outages: longer than the most, they end the replay, and the letter stays open."""
    door = Door(429, retry_after="10000", error="source_stopped")
    with pytest.raises(Transient, match="source_stopped"):
        door.send(letter())
    assert door.post.done == []
