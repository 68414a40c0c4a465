"""The HTTP gateway: reader doors that keep everything, program doors that say what is wrong.

1 receive -> 2 decide -> 3 publish -> 4 acknowledge, in order: a door answers 2xx when every message of the request
is on enough brokers. A retried request gives reads of the same identity (reader, antenna, tag, the reader's own
time), so that it has one effect however often it is sent.
"""

from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lotstream.readers.answers import answer, refusal, shown
from lotstream.readers.batches import Arrival, Group
from lotstream.readers.calls import MAX_ID, Call, Doorkeeper, Handler, Parse, request_id_of
from lotstream.readers.capture import CaptureDoor, capture_routes
from lotstream.readers.coalesce import Coalescer
from lotstream.readers.counting import Counting
from lotstream.readers.decisions import DecisionDoor
from lotstream.readers.epcis_door import EpcisDoor
from lotstream.readers.formats import impinj, keonn, mapped, native, scans, zebra
from lotstream.readers.formats.items import Parsed
from lotstream.readers.formats.scans import Scanning
from lotstream.readers.health_doors import health_routes
from lotstream.readers.intake import Intake, Taken
from lotstream.readers.limits import Floodgate
from lotstream.readers.mapping import Mapping
from lotstream.readers.messages import Message, Sender
from lotstream.readers.spool.keeper import Keeper, Unkept
from lotstream.readers.tokens import Tokens, read_tokens
from lotstream.runtime.clock import Clock
from lotstream.runtime.crash import crash_point
from lotstream.runtime.errors import Reason, Rejected
from lotstream.runtime.health import Health
from lotstream.runtime.metrics import Metrics
from lotstream.runtime.settings import Settings
from lotstream.schemas.base import Origin
from lotstream.schemas.operations import Headers, carried

SMALL_BYTES = 65_536


class Gateway:
    """The doors over one intake. What readers send is ``kept`` while Kafka is away; programs are told so."""

    def __init__(
        self,
        settings: Settings,
        *,
        producer: Sender,
        keeper: Keeper | None,
        mapping: Mapping,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        gateway = settings.gateway
        self.mapping = mapping
        self.sender = producer if keeper is None else Unkept(producer, keeper)
        self.intake = Intake(settings.topics, mapping, batch_reads=gateway.batch_reads)
        self.counting = Counting(metrics)
        self.floodgate = Floodgate(
            gateway, mapping=mapping, blind_windows=self.intake.blind_windows, clock=clock, metrics=metrics
        )
        self.epcis = EpcisDoor(self.intake, sender=self.sender, floodgate=self.floodgate, metrics=metrics)
        self.decisions = DecisionDoor(self.intake.events, sender=self.sender, floodgate=self.floodgate, metrics=metrics)
        coalescer = partial(Coalescer, encode=self._encode, reads=gateway.batch_reads, wait_s=gateway.batch_ms / 1000)
        self._unkept = coalescer(send=self.sender.send)
        self._kept = coalescer(send=(keeper or producer).send)

    def _encode(self, group: Group, arrival: Arrival) -> list[Message]:
        messages = self.intake.batches(group, arrival=arrival)
        self.counting.batches(len(group.rows), len(messages))
        return messages

    async def readers(self, call: Call, *, parse: Parse) -> Response:
        """What a reader sends in its vendor's format."""
        return await self.keep(parse(call.body), call=call)

    async def scans(self, call: Call) -> Response:
        """Labels: JSON, or plain text with a label's data a line."""
        scanning = Scanning(scanner=call.reader, received_us=call.first_received_us)
        is_text = call.request.headers.get("content-type", "").startswith("text/plain")
        return await self.keep((scans.parse_lines if is_text else scans.parse)(call.body, scanning=scanning), call=call)

    async def reads(self, call: Call) -> Response:
        """Any shape by a field map of the site file. An unknown name is the caller's mistake, not the data's."""
        name = call.request.query_params.get("mapping", "")
        fields = self.mapping.field_maps.get(name)
        if fields is None:
            known = ", ".join(sorted(self.mapping.field_maps)) or "none set"
            raise Rejected(Reason.SCHEMA_INVALID, f"Expected a field map ({known}), got {name!r}.", field="mapping")
        return await self.keep(mapped.parse(call.body, fields=fields, received_us=call.first_received_us), call=call)

    async def batches(self, call: Call) -> Response:
        """Native batches of a program: all of them, or none and what is wrong."""
        reads = native.parse(call.body)
        taken = self._take(Parsed(lambda _: call.body, reads, [0] * len(reads)), call)
        if taken.refused:
            first = taken.refused[0]
            raise Rejected(first.reason, first.detail, field=first.field)
        return await self._publish(taken, call, coalescer=self._unkept)

    async def end(self, call: Call) -> Response:
        """A source of origin file or buffered has no more: what it opened closes at every door it touched."""
        source = call.request.path_params["source"]
        if call.token_source and source != call.token_source:
            raise Rejected(Reason.SCHEMA_INVALID, f"Expected {call.token_source!r}, got {source!r}.", field="source")
        if not 0 < len(source) <= MAX_ID:
            raise Rejected(
                Reason.SCHEMA_INVALID, f"Expected 1..{MAX_ID} characters, got {len(source)}.", field="source"
            )
        doors = sorted(native.parse_doors(call.body) or self.intake.doors_of(source))
        await self.sender.send(self.intake.ends(source, doors))
        self.intake.forget(source)
        return answer({"ended": doors}, request=call.arrival.request)

    async def keep(self, parsed: Parsed, *, call: Call) -> Response:
        """Everything of a payload, the refused items as dead letters, then the counts."""
        now_us = call.arrival.received_us
        if self.floodgate.shut(now_us):
            sources = {call.arrival.by(name or call.reader).source for name in parsed.names()}
            self.floodgate.admit(sources, now_us=now_us)
        taken = self._take(parsed, call)
        if taken.refused:
            self._refuse(taken, call, said=call.said + carried(None, parsed.frame))
        del parsed  # the whole of a decoded body, for as long as the brokers take
        # a file is still there after the outage, and would take the room of what is not
        coalescer = self._unkept if call.arrival.origin is Origin.FILE else self._kept
        return await self._publish(taken, call, coalescer=coalescer)

    def _refuse(self, taken: Taken, call: Call, *, said: Headers) -> None:
        """Dead letters, and the blind windows of the sources that are stopped by them."""
        sources = [call.arrival.source or one.reader or call.reader for one in taken.refused]
        for one, source in zip(taken.refused, sources, strict=True):
            # what a broker might find too large must not take the letters of others with it
            beside = taken.letters if len(one.raw) <= SMALL_BYTES else taken.messages
            beside += self.intake.letters(one, arrival=call.arrival, source=source, door=call.door, said=said)
        taken.messages += self.floodgate.charge(sources, door=call.door, now_us=call.arrival.received_us)

    def _take(self, parsed: Parsed, call: Call) -> Taken:
        crash_point("gateway", "received")
        return self.intake.take(parsed, arrival=call.arrival, reader=call.reader)

    async def _publish(self, taken: Taken, call: Call, *, coalescer: Coalescer) -> Response:
        crash_point("gateway", "decided")
        await coalescer.publish(taken.groups, taken.messages, letters=taken.letters)
        crash_point("gateway", "published")
        self.counting.count(taken, door=call.door)
        counts = {
            "accepted": taken.reads + taken.quantities,
            "rejected": len(taken.refused),
            "reader_events": taken.events,
            "dead_letters": shown(taken.refused),
        }
        warnings = {"warnings": taken.warnings[:20]} if taken.warnings else {}
        return answer(counts | warnings, request=call.arrival.request)


def build_app(
    settings: Settings,
    *,
    producer: Sender,
    keeper: Keeper | None = None,
    mapping: Mapping,
    clock: Clock,
    metrics: Metrics,
    health: Health | None = None,
) -> Starlette:
    """The gateway as an ASGI application. Raises SettingsInvalid for a tokens file that cannot be used."""
    gateway = Gateway(settings, producer=producer, keeper=keeper, mapping=mapping, clock=clock, metrics=metrics)
    tokens: Tokens = read_tokens(settings.gateway.tokens_file)
    doorkeeper = Doorkeeper(tokens=tokens, clock=clock, metrics=metrics, max_body=settings.gateway.max_body_bytes)
    doors: dict[str, tuple[str, Handler]] = {
        "/readers/impinj": ("impinj", partial(gateway.readers, parse=impinj.parse)),
        "/readers/zebra": ("zebra", partial(gateway.readers, parse=zebra.parse)),
        "/readers/keonn": ("keonn", partial(gateway.readers, parse=keonn.parse)),
        "/scans": ("scans", gateway.scans),
        "/reads": ("reads", gateway.reads),
        "/batches": ("batches", gateway.batches),
        "/epcis/capture": ("epcis", gateway.epcis.capture),
        "/decisions": ("decisions", gateway.decisions.decide),
        "/sources/{source}/end": ("end", gateway.end),
    }
    routes = [
        Route(path, doorkeeper.endpoint(name, handle), methods=["POST"]) for path, (name, handle) in doors.items()
    ]
    capture = CaptureDoor(gateway.epcis, clock=clock, max_body=settings.gateway.max_body_bytes)
    return Starlette(
        routes=[
            *capture_routes(capture, gateway.epcis, doorkeeper),
            *routes,
            *health_routes(settings.metrics, health=health or Health(), metrics=metrics),
        ],
        exception_handlers={HTTPException: _no_door, Exception: _bug},
    )


async def _bug(request: Request, _: Exception) -> Response:
    """The answer to our own mistake; the server logs it, and nothing of the request is acknowledged."""
    return refusal(500, "internal", detail="Expected no bug, got one.", request=request_id_of(request))


async def _no_door(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    name = "method_not_allowed" if error.status_code == 405 else "not_found"
    detail = f"Expected a door, got {request.method} {request.url.path!r}."
    return refusal(error.status_code, name, detail=detail, request=request_id_of(request))
