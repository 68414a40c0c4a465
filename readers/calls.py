"""What all doors have in common: who calls, the body, the stamps, and an answer for every way it can end."""

import math
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from lotstream.readers.answers import refusal, rejection
from lotstream.readers.batches import Arrival
from lotstream.readers.bodies import BodyTooLarge, BodyUnreadable, Held, body_of
from lotstream.readers.formats.items import Parsed
from lotstream.readers.limits import SourceStopped
from lotstream.readers.tokens import Tokens
from lotstream.runtime.clock import Clock
from lotstream.runtime.errors import Reason, Rejected, Transient
from lotstream.runtime.metrics import Metrics
from lotstream.schemas.base import Origin
from lotstream.schemas.operations import Headers, carried

MAX_ID = 200
_ORIGINS = {origin.value: origin for origin in Origin}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request at a door. ``reader`` is whom items belong to that name no reader of their own."""

    request: Request
    door: str
    body: bytes
    arrival: Arrival
    reader: str
    token_source: str
    first_received_us: int  # by the gateway that took it first; what has no time of its own takes this one

    @property
    def said(self) -> Headers:
        """What the bytes alone do not say, as a dead letter carries it, to be sent again as it came."""
        scope = self.request.scope
        content_type = self.request.headers.get("content-type", "application/json")
        return _said(scope["path"], scope["query_string"], content_type, self.arrival.origin, self.reader)


@lru_cache(maxsize=1 << 7)
def _said(path: str, query: bytes, content_type: str, origin: Origin, reader: str) -> Headers:
    said = {
        "path": f"{path}?{query.decode('latin-1')}" if query else path,
        "Content-Type": content_type,
        "Lotstream-Origin": origin.value,
        "Lotstream-Reader": reader,
    }
    return carried(None, tuple((name, value.encode("utf-8", "replace")) for name, value in said.items()))


Parse = Callable[[bytes], Parsed]
Handler = Callable[[Call], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


class Unauthorized(Exception):
    """No token, another token, or another source than the token's."""


class Doorkeeper:
    """Makes endpoints of handlers."""

    def __init__(self, *, tokens: Tokens, clock: Clock, metrics: Metrics, max_body: int) -> None:
        self._tokens = tokens
        self._clock = clock
        self._max_body = max_body
        self._held = Held()
        self._requests = metrics.counter("lotstream_gateway_requests_total")
        self._seconds = metrics.histogram("lotstream_gateway_request_seconds")
        self._bytes = metrics.counter("lotstream_gateway_received_bytes_total")
        self._in_flight = metrics.gauge("lotstream_gateway_in_flight_requests")

    def endpoint(self, door: str, handler: Handler) -> Endpoint:
        """An endpoint that answers in JSON however ``handler`` ends, bugs aside."""
        seconds = self._seconds.labels(door)
        received = self._bytes.labels(door)

        async def serve(request: Request) -> Response:
            started = time.perf_counter()
            request_id = request_id_of(request)
            self._in_flight.inc()
            try:
                response = await self._answer(request, door=door, handler=handler, request_id=request_id)
            finally:
                self._in_flight.dec()
            seconds.observe(time.perf_counter() - started)
            received.inc(getattr(request.state, "body_bytes", 0))
            self._requests.labels(door, str(response.status_code)).inc()
            return response

        return serve

    async def _answer(self, request: Request, *, door: str, handler: Handler, request_id: str) -> Response:
        try:
            token_source = self._source(request)
            async with body_of(request, most=self._max_body, held=self._held) as body:
                request.state.body_bytes = len(body)
                return await handler(
                    self._call(request, body, door=door, request_id=request_id, token_source=token_source)
                )
        except Unauthorized as stranger:
            return refusal(401, "unauthorized", detail=str(stranger), request=request_id, WWW_Authenticate="Bearer")
        except BodyTooLarge as large:
            return refusal(413, Reason.TOO_LARGE, detail=str(large), request=request_id, Connection="close")
        except BodyUnreadable as unreadable:
            return refusal(415, Reason.ENCODING_INVALID, detail=str(unreadable), request=request_id)
        except Rejected as rejected:
            return rejection(rejected, request=request_id)
        except SourceStopped as flood:
            wait = str(max(1, math.ceil(flood.retry_after_s)))
            return refusal(429, "source_stopped", detail=str(flood), request=request_id, Retry_After=wait)
        except Transient as outage:
            wait = str(max(1, round(outage.retry_after_s)))
            return refusal(503, "unavailable", detail=outage.detail, request=request_id, Retry_After=wait)
        except ClientDisconnect:
            return refusal(400, "disconnected", detail="Expected the whole body, got a part of it.", request=request_id)

    def _source(self, request: Request) -> str:
        """The source that the token names; '' where no tokens are needed."""
        if not self._tokens.needed:
            return ""
        source = self._tokens.source_of(request.headers.get("authorization", ""))
        if source is None:
            raise Unauthorized("Expected the token of a source, got none or another.")
        said = request.headers.get("lotstream-source", source)
        if said != source:
            raise Unauthorized(f"Expected the source of the token, got {said!r}.")
        return source

    def _call(self, request: Request, body: bytes, *, door: str, request_id: str, token_source: str) -> Call:
        headers = request.headers
        origin = _ORIGINS.get(headers.get("lotstream-origin", Origin.LIVE.value))
        if origin is None:
            raise Rejected(
                Reason.SCHEMA_INVALID,
                f"Expected live, buffered or file, got {headers['lotstream-origin']!r}.",
                field="Lotstream-Origin",
            )
        source = token_source or _named(headers.get("lotstream-source", ""), "Lotstream-Source")
        reader = _named(headers.get("lotstream-reader", request.query_params.get("reader", "")), "Lotstream-Reader")
        host = request.client.host if request.client else "unknown"
        arrival = Arrival(received_us=self._clock.now_us(), origin=origin, source=source, request=request_id)
        return Call(
            request=request,
            door=door,
            body=body,
            arrival=arrival,
            reader=reader or source or host,
            token_source=token_source,
            first_received_us=_received(headers.get("lotstream-received", ""), arrival),
        )


def _received(said: str, arrival: Arrival) -> int:
    """When it was received first. Only of what is not live may it be said, and only of the past."""
    if arrival.origin is Origin.LIVE or not said:
        return arrival.received_us
    if not (said.isascii() and said.isdecimal() and int(said) <= arrival.received_us):
        raise Rejected(
            Reason.SCHEMA_INVALID, f"Expected microseconds before now, got {said!r}.", field="Lotstream-Received"
        )
    return int(said)


def request_id_of(request: Request) -> str:
    """The caller's request id when it is one, else a new one."""
    said = request.headers.get("x-request-id", "")
    return said if 0 < len(said) <= MAX_ID and said.isascii() and said.isprintable() else uuid.uuid4().hex


def _named(value: str, header: str) -> str:
    if len(value) > MAX_ID or not value.isprintable():
        raise Rejected(
            Reason.SCHEMA_INVALID, f"Expected at most {MAX_ID} printable characters, got others.", field=header
        )
    return value
