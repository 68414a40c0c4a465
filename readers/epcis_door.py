"""The EPCIS 2.0 doors: a document of events (capture), or events by themselves.

`GS1-Capture-Error-Behaviour: rollback` (the default of the standard) takes all events or none; with `proceed` the good
ones are taken and each bad one goes to the dead letters. Either way the answer names every bad one. The event hash is
the identity: an event sent again is the same event.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

from lotstream.readers.answers import SHOWN_REFUSALS, answer
from lotstream.readers.batches import Arrival
from lotstream.readers.bodies import BodyTooLarge
from lotstream.readers.calls import Call
from lotstream.readers.counting import STAGE
from lotstream.readers.formats.items import Refused
from lotstream.readers.intake import MAX_VALUE_BYTES, Intake
from lotstream.readers.limits import Floodgate
from lotstream.readers.messages import Message, Sender
from lotstream.runtime.errors import Reason, Rejected
from lotstream.runtime.metrics import Metrics
from lotstream.schemas.base import Stamp
from lotstream.schemas.epcis import ParsedEvent, parse_document, to_trace_event
from lotstream.schemas.epcis.flags import EventIds, Flag, flags_of, require_plausible
from lotstream.schemas.operations import carried

ROLLBACK, PROCEED = "rollback", "proceed"
CAPTURE_LIMIT = 100_000  # events of one document
_HEADER = "GS1-Capture-Error-Behaviour"
_FORMAT = "epcis"
_ASIDE_BYTES = 65_536  # a larger body is parsed beside the event loop, or the readers would wait for it
_EXPECTED = re.compile(r"Expected (.*), got (.*)\.", re.DOTALL)


@dataclass(slots=True)
class Captured:
    """The events of a body: those to be sent, and those refused."""

    messages: list[Message] = field(default_factory=list)
    taken: list[ParsedEvent] = field(default_factory=list)
    refused: list[tuple[ParsedEvent, Rejected]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a body. ``refused``: why nothing of it was taken, though it is kept as a dead letter or not."""

    behaviour: str
    captured: Captured
    flags: tuple[Flag, ...] = ()
    refused: Rejected | None = None

    def counts(self) -> dict[str, Any]:
        """The members of an answer."""
        hashes = [event.event_hash for event in self.captured.taken]
        flags = [{"index": one.index, "flag": one.flag.value, "detail": one.detail} for one in self.flags]
        return {
            "accepted": len(hashes),
            "rejected": len(self.captured.refused),
            "events": hashes,
            "errors": _errors(self.captured),
            **({"flags": flags[:SHOWN_REFUSALS]} if flags else {}),
        }


class EpcisDoor:
    """Events of programs into events.v1."""

    def __init__(self, intake: Intake, *, sender: Sender, floodgate: Floodgate, metrics: Metrics) -> None:
        self._intake = intake
        self._sender = sender
        self._floodgate = floodgate
        self._ids = EventIds()
        self._received = metrics.counter("lotstream_events_received_total")
        self._rejected = metrics.counter("lotstream_events_rejected_total")
        self._flagged = metrics.counter("lotstream_events_flagged_total")
        self._dead = metrics.counter("lotstream_dead_letters_total")

    async def capture(self, call: Call) -> Response:
        """POST /epcis/capture: a document. 202, though what it holds is in Kafka when the answer comes."""
        return self._answer(await self.take(call), call, status=202)

    async def events(self, call: Call) -> Response:
        """POST /events: one event, an array of them, or a document. 201, with the place of a single one."""
        return self._answer(await self.take(call), call, status=201)

    async def take(self, call: Call) -> Outcome:
        """Everything of a body, or none of it, as the caller wants.

        Raises Rejected for a body that is no document and is not to be kept; SourceStopped; Transient.
        """
        behaviour = behaviour_of(call)
        arrival = call.arrival.by(call.reader)
        self._floodgate.admit([arrival.source], now_us=arrival.received_us)
        try:
            captured = await self._captured(call.body, arrival)
        except Rejected as rejected:
            self._rejected.labels(_FORMAT, rejected.reason.value).inc()
            if behaviour == ROLLBACK:
                raise
            await self._bury([Refused.of(rejected, index=0, raw=call.body)], call)
            return Outcome(behaviour=behaviour, captured=Captured(), refused=rejected)
        for _, why in captured.refused:
            self._rejected.labels(_FORMAT, why.reason.value).inc()
        if captured.refused and behaviour == ROLLBACK:
            none = Captured(refused=captured.refused)
            return Outcome(behaviour=behaviour, captured=none, refused=captured.refused[0][1])
        await self._sender.send(captured.messages)
        self._received.labels(_FORMAT).inc(len(captured.messages))
        await self._bury(
            [Refused.of(why, index=event.index, raw=event.sent.encode()) for event, why in captured.refused], call
        )
        return Outcome(behaviour=behaviour, captured=captured, flags=tuple(self._flags(captured, arrival)))

    def refusal(self, outcome: Outcome, call: Call) -> Response:
        """Nothing was taken: what is wrong with the first, and with each."""
        assert outcome.refused is not None
        refused, arrival = outcome.captured.refused, call.arrival.by(call.reader)
        first = _described(refused[0][0].index if refused else 0, outcome.refused)
        # of a document that is none there is one bad thing: the body, which is kept
        counts = {"accepted": 0, "rejected": len(refused) or 1}
        errors = {"errors": _errors(outcome.captured)} if refused else {}
        status = 413 if outcome.refused.reason is Reason.TOO_LARGE else 400
        return answer(first | counts | errors, request=arrival.request, status=status)

    def _answer(self, outcome: Outcome, call: Call, *, status: int) -> Response:
        if outcome.refused is not None:
            return self.refusal(outcome, call)
        headers = {_HEADER.replace("-", "_"): outcome.behaviour}
        if status == 201 and len(outcome.captured.taken) == 1:
            only = outcome.captured.taken[0]
            headers["Location"] = f"/events/{quote(str(only.fields['event_id']) or only.event_hash, safe='')}"
        return answer(outcome.counts(), request=call.arrival.request, status=status, **headers)

    def _flags(self, captured: Captured, arrival: Arrival) -> Iterator[Flag]:
        for event in captured.taken:
            for flag in flags_of(event.fields, index=event.index, ids=self._ids, now_us=arrival.received_us):
                self._flagged.labels(flag.flag.value).inc()
                yield flag

    async def _captured(self, body: bytes, arrival: Arrival) -> Captured:
        if len(body) <= _ASIDE_BYTES:
            return self._understand(body, arrival)
        return await asyncio.to_thread(self._understand, body, arrival)

    def _understand(self, body: bytes, arrival: Arrival) -> Captured:
        stamp = Stamp(
            received_us=arrival.received_us, origin=arrival.origin, source=arrival.source, request=arrival.request
        )
        captured = Captured()
        events = parse_document(body)
        if len(events) > CAPTURE_LIMIT:
            raise BodyTooLarge(f"Expected at most {CAPTURE_LIMIT} events, got {len(events)}.")
        for parsed in events:
            try:
                captured.messages.append(self._message(parsed, stamp))
                captured.taken.append(parsed)
            except Rejected as rejected:
                captured.refused.append((parsed, rejected))
        return captured

    def _message(self, parsed: ParsedEvent, stamp: Stamp) -> Message:
        event = to_trace_event(parsed, stamp=stamp)
        require_plausible(parsed.fields, now_us=stamp.received_us)
        value = event.encode()
        if len(value) > MAX_VALUE_BYTES:
            detail = (
                f"Expected an event of at most {MAX_VALUE_BYTES} bytes (name a run by its range), got {len(value)}."
            )
            raise Rejected(Reason.TOO_LARGE, detail)
        return self._intake.events.message(event.subject, value)

    async def _bury(self, refused: Sequence[Refused], call: Call) -> None:
        arrival = call.arrival.by(call.reader)
        # the door that takes an event without a document around it
        said = call.said + carried(None, (("path", b"/events"),))
        letters = [
            letter
            for one in refused
            for letter in self._intake.letters(one, arrival=arrival, source=arrival.source, door=_FORMAT, said=said)
        ]
        now_us = arrival.received_us
        letters += self._floodgate.charge([arrival.source] * len(refused), door=_FORMAT, now_us=now_us)
        if letters:
            await self._sender.send(letters)
        for one in refused:
            self._dead.labels(STAGE, one.reason.value).inc()


def behaviour_of(call: Call) -> str:
    """rollback or proceed, as the caller says. Raises Rejected."""
    said = call.request.headers.get(_HEADER, ROLLBACK).strip().lower()
    if said not in (ROLLBACK, PROCEED):
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected rollback or proceed, got {said!r}.", field=_HEADER)
    return said


def _errors(captured: Captured) -> list[dict[str, Any]]:
    return [_described(event.index, rejected) for event, rejected in captured.refused[:SHOWN_REFUSALS]]


def _described(index: int, rejected: Rejected) -> dict[str, Any]:
    found = _EXPECTED.fullmatch(rejected.detail)
    return {
        "index": index,
        "error": rejected.reason.value,
        "field": rejected.field or "",
        "expected": found[1] if found else "",
        "got": found[2] if found else "",
        "detail": rejected.detail,
    }
