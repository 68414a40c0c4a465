"""The HTTP gateway: reader doors that keep everything, program doors that say what is wrong.

1 receive -> 2 decide -> 3 publish -> 4 acknowledge, in order: a door answers 2xx when every message of the request
is on enough brokers. A retried request gives reads of the same identity (reader, antenna, tag, the reader's own
time), so that it has one effect however often it is sent.
"""

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lotstream.readers.answers import answer, refusal, rejection, shown
from lotstream.readers.batches import Arrival
from lotstream.readers.bodies import BodyTooLarge, BodyUnreadable, Held, body_of
from lotstream.readers.formats import impinj, native
from lotstream.readers.formats.items import Parsed
from lotstream.readers.intake import Intake
from lotstream.readers.mapping import Mapping
from lotstream.readers.messages import Sender
from lotstream.runtime.clock import Clock
from lotstream.runtime.errors import Reason, Rejected, Transient
from lotstream.runtime.metrics import CONTENT_TYPE, Metrics
from lotstream.runtime.settings import Settings
from lotstream.schemas.base import Origin

MAX_ID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request at a door: who sent it, when, and its body."""

    request: Request
    body: bytes
    arrival: Arrival
    reader: str


Handler = Callable[[Call], Awaitable[Response]]


class Gateway:
    """The doors over one intake."""

    def __init__(
        self, settings: Settings, *, producer: Sender, mapping: Mapping, clock: Clock, metrics: Metrics
    ) -> None:
        self._sender = producer
        self._clock = clock
        self._metrics = metrics
        self._limit = settings.gateway.max_body_bytes
        self._held = Held()
        self.intake = Intake(settings.topics, mapping, batch_reads=settings.gateway.batch_reads)

    def door(self, name: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint around ``handler`` with everything that all doors have in common."""

        async def endpoint(request: Request) -> Response:
            request_id = _request_id(request)
            try:
                async with body_of(request, most=self._limit, held=self._held) as body:
                    return await handler(self._call(request, body, request_id=request_id))
            except BodyTooLarge as large:
                return refusal(413, "too_large", str(large), request=request_id, Connection="close")
            except BodyUnreadable as unreadable:
                return refusal(415, "encoding_invalid", str(unreadable), request=request_id)
            except Rejected as rejected:
                return rejection(rejected, request=request_id)
            except Transient as outage:
                wait = str(max(1, round(outage.retry_after_s)))
                return refusal(503, "unavailable", outage.detail, request=request_id, Retry_After=wait)

        return endpoint

    def reader_door(self, name: str, parse: Callable[[bytes], Parsed]) -> Callable[[Request], Awaitable[Response]]:
        """A door that refuses nothing: what is not understood goes to the dead letters."""

        async def handle(call: Call) -> Response:
            return await self.keep(parse(call.body), call=call, door=name)

        return self.door(name, handle)

    async def batches(self, call: Call) -> Response:
        """Native batches of a program: all of them, or none and what is wrong."""
        reads = native.parse(call.body)
        parsed = Parsed(lambda _: call.body, reads, [0] * len(reads))
        return await self.keep(parsed, call=call, door="batches")

    async def keep(self, parsed: Parsed, *, call: Call, door: str) -> Response:
        """Publish everything of a payload, then answer with the counts."""
        taken = self.intake.take(parsed, arrival=call.arrival, reader=call.reader, door=door)
        messages = taken.messages
        for group, arrival in taken.groups:
            messages += self.intake.batches(group, arrival=arrival)
        await self._sender.send(messages)
        return answer(
            {
                "accepted": taken.reads,
                "rejected": len(taken.refused),
                "reader_events": taken.events,
                "dead_letters": shown(taken.refused),
            },
            request=call.arrival.request,
        )

    def _call(self, request: Request, body: bytes, *, request_id: str) -> Call:
        headers = request.headers
        origin = headers.get("lotstream-origin", Origin.LIVE.value)
        if origin not in set(Origin):
            raise Rejected(
                Reason.SCHEMA_INVALID,
                f"Expected live, buffered or file, got {origin!r}.",
                field="Lotstream-Origin",
            )
        source = headers.get("lotstream-source", "")[:MAX_ID]
        named = headers.get("lotstream-reader", request.query_params.get("reader", ""))[:MAX_ID]
        host = request.client.host if request.client else "unknown"
        arrival = Arrival(received_us=self._clock.now_us(), origin=Origin(origin), source=source, request=request_id)
        return Call(request=request, body=body, arrival=arrival, reader=named or source or host)


def build_app(settings: Settings, *, producer: Sender, mapping: Mapping, clock: Clock, metrics: Metrics) -> Starlette:
    """The gateway as an ASGI application."""
    gateway = Gateway(settings, producer=producer, mapping=mapping, clock=clock, metrics=metrics)

    async def exposition(_request: Request) -> Response:
        return Response(metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    return Starlette(
        routes=[
            Route("/readers/impinj", gateway.reader_door("impinj", impinj.parse), methods=["POST"]),
            Route("/batches", gateway.door("batches", gateway.batches), methods=["POST"]),
            Route("/metrics", exposition),
        ],
        exception_handlers={HTTPException: _unknown},
    )


async def _unknown(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return refusal(
        error.status_code, "not_found", f"Expected a door, got {request.url.path!r}.", request=_request_id(request)
    )


def _request_id(request: Request) -> str:
    said = request.headers.get("x-request-id", "")
    return said if 0 < len(said) <= MAX_ID and said.isprintable() and said.isascii() else uuid.uuid4().hex
