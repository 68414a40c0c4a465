"""The EPCIS 2.0 doors: a document of events (capture), or events by themselves.

`GS1-Capture-Error-Behaviour: rollback` (the default of the standard) takes all events or none; with `proceed` the good
ones are taken and each bad one goes to the dead letters. Either way the answer names every bad one. The event hash is
the identity: an event sent again is the same event.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from lotstream.readers.answers import SHOWN_REFUSALS, answer
from lotstream.readers.batches import Arrival
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

ROLLBACK, PROCEED = "rollback", "proceed"
_HEADER = "GS1-Capture-Error-Behaviour"
_FORMAT = "epcis"
_ASIDE_BYTES = 65_536  # a larger body is parsed beside the event loop, or the readers would wait for it
_EXPECTED = re.compile(r"Expected (.*), got (.*)\.", re.DOTALL)


@dataclass(slots=True)
class _Captured:
    messages: list[Message] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    refused: list[tuple[ParsedEvent, Rejected]] = field(default_factory=list)


class EpcisDoor:
    """Events of programs into events.v1."""

    def __init__(self, intake: Intake, *, sender: Sender, floodgate: Floodgate, metrics: Metrics) -> None:
        self._intake = intake
        self._sender = sender
        self._floodgate = floodgate
        self._received = metrics.counter("lotstream_events_received_total")
        self._rejected = metrics.counter("lotstream_events_rejected_total")
        self._dead = metrics.counter("lotstream_dead_letters_total")

    async def capture(self, call: Call) -> Response:
        """POST /epcis/capture: a document. 202, though what it holds is in Kafka when the answer comes."""
        return await self._take(call, status=202)

    async def events(self, call: Call) -> Response:
        """POST /events: one event, an array of them, or a document. 201."""
        return await self._take(call, status=201)

    async def _take(self, call: Call, *, status: int) -> Response:
        behaviour = _behaviour(call)
        arrival = call.arrival.by(call.reader)
        self._floodgate.admit([arrival.source], now_us=arrival.received_us)
        try:
            captured = await self._captured(call.body, arrival)
        except Rejected as rejected:
            self._rejected.labels(_FORMAT, rejected.reason.value).inc()
            if behaviour == ROLLBACK:
                raise
            await self._bury([Refused.of(rejected, index=0, raw=call.body)], call)
            # no event of it was taken, but nothing is lost either: the counts say so
            kept = _described(0, rejected) | {"accepted": 0, "rejected": 1}
            return answer(kept, request=arrival.request, status=400)
        for _, why in captured.refused:
            self._rejected.labels(_FORMAT, why.reason.value).inc()
        if captured.refused and behaviour == ROLLBACK:
            return _refusal(captured, arrival)
        await self._sender.send(captured.messages)
        self._received.labels(_FORMAT).inc(len(captured.messages))
        await self._bury(
            [Refused.of(why, index=event.index, raw=event.sent.encode()) for event, why in captured.refused], call
        )
        counts = {"accepted": len(captured.messages), "rejected": len(captured.refused), "events": captured.hashes}
        headers = {_HEADER.replace("-", "_"): behaviour}
        return answer(counts | {"errors": _errors(captured)}, request=arrival.request, status=status, **headers)

    async def _captured(self, body: bytes, arrival: Arrival) -> _Captured:
        if len(body) <= _ASIDE_BYTES:
            return self._understand(body, arrival)
        return await asyncio.to_thread(self._understand, body, arrival)

    def _understand(self, body: bytes, arrival: Arrival) -> _Captured:
        stamp = Stamp(
            received_us=arrival.received_us, origin=arrival.origin, source=arrival.source, request=arrival.request
        )
        captured = _Captured()
        for parsed in parse_document(body):
            try:
                captured.messages.append(self._message(parsed, stamp))
                captured.hashes.append(parsed.event_hash)
            except Rejected as rejected:
                captured.refused.append((parsed, rejected))
        return captured

    def _message(self, parsed: ParsedEvent, stamp: Stamp) -> Message:
        event = to_trace_event(parsed, stamp=stamp)
        value = event.encode()
        if len(value) > MAX_VALUE_BYTES:
            detail = (
                f"Expected an event of at most {MAX_VALUE_BYTES} bytes (name a run by its range), got {len(value)}."
            )
            raise Rejected(Reason.TOO_LARGE, detail)
        return self._intake.events.message(event.subject, value)

    async def _bury(self, refused: Sequence[Refused], call: Call) -> None:
        arrival = call.arrival.by(call.reader)
        said = (*call.said, ("path", b"/events"))  # the door that takes an event without a document around it
        letters = [
            letter
            for one in refused
            for letter in self._intake.dead_letter(one, arrival=arrival, door=_FORMAT, said=said)
        ]
        now_us = arrival.received_us
        letters += self._floodgate.charge([arrival.source] * len(refused), door=_FORMAT, now_us=now_us)
        if letters:
            await self._sender.send(letters)
        for one in refused:
            self._dead.labels(STAGE, one.reason.value).inc()


def _behaviour(call: Call) -> str:
    said = call.request.headers.get(_HEADER, ROLLBACK).strip().lower()
    if said not in (ROLLBACK, PROCEED):
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected rollback or proceed, got {said!r}.", field=_HEADER)
    return said


def _refusal(captured: _Captured, arrival: Arrival) -> Response:
    """Nothing was taken: what is wrong with the first, and with each."""
    event, rejected = captured.refused[0]
    first = _described(event.index, rejected)
    counts = {"accepted": 0, "rejected": len(captured.refused), "errors": _errors(captured)}
    status = 413 if rejected.reason is Reason.TOO_LARGE else 400
    return answer(first | counts, request=arrival.request, status=status)


def _errors(captured: _Captured) -> list[dict[str, Any]]:
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
