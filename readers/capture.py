"""The capture interface of EPCIS 2.0 over HTTP (section 12.6): documents as jobs, versions and limits in headers.

The answer to a document is 202 with its job, as the standard has it, and its events are in Kafka when it comes: a job
that is still running is one whose answer is still to come. Errors are problems (RFC 7807) with our own members beside.
"""

import asyncio
import re
from typing import Any
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from lotstream.readers.answers import answer, refusal
from lotstream.readers.calls import Call, Doorkeeper, Endpoint, Handler
from lotstream.readers.capture_jobs import Job, Jobs
from lotstream.readers.epcis_door import CAPTURE_LIMIT, ROLLBACK, EpcisDoor, Outcome, behaviour_of
from lotstream.runtime.clock import Clock
from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.epcis import Fault, check_document

VERSION = "2.0.0"
PER_PAGE, MOST_PER_PAGE = 30, 1_000
_VERSION = re.compile(r"2(\.0(\.\d+)?)?")
_BOUND = re.compile(r"\d+(\.\d+){0,2}")
_XML = ("application/xml", "text/xml")
_TITLES = {
    400: ("ValidationException", "The request is not valid"),
    401: ("SecurityException", "Not authorised"),
    404: ("NoSuchResourceException", "No such resource"),
    406: ("NotAcceptableException", "No such version"),
    413: ("CapturePayloadTooLarge", "Too much at once"),
    415: ("UnsupportedMediaTypeException", "No such media type"),
    429: ("RateLimitException", "The source is stopped for a while"),
}


class CaptureDoor:
    """POST and GET /capture, GET /capture/{id}."""

    def __init__(self, door: EpcisDoor, *, clock: Clock, max_body: int) -> None:
        self._door = door
        self._clock = clock
        self._jobs = Jobs()
        self.headers = _versions() | {
            "GS1-EPCIS-Capture-Limit": str(CAPTURE_LIMIT),
            "GS1-EPCIS-Capture-File-Size-Limit": str(max_body),
            "GS1-Capture-Error-Behaviour": ROLLBACK,
        }

    async def capture(self, call: Call) -> Response:
        """202 with the job of a document; an event refused is an error of the job. 400 for what is no document."""
        job = Job(
            id=call.arrival.request,
            source=call.arrival.source or call.reader,
            behaviour=behaviour_of(call),
            created_us=call.arrival.received_us,
        )
        self._jobs.start(job)
        try:
            outcome = await self._door.take(call)
            # beside the event loop, or the readers would wait for a large document
            errors = await asyncio.to_thread(self._errors, outcome, call)
            job.finish(self._clock.now_us(), errors=errors)
        finally:
            if job.finished_us is None:
                errors = [problem(503, "Nothing of it was taken: the answer to the request said why.")]
                job.finish(self._clock.now_us(), errors=errors)
        if outcome.refused is not None and not outcome.captured.refused:
            return self._door.refusal(outcome, call)
        headers = {"Location": f"/capture/{quote(job.id, safe='')}"}
        return answer(outcome.counts() | job.described(), request=job.id, status=202, **headers)

    async def jobs(self, call: Call) -> Response:
        """The jobs of the caller's source, newest first, `perPage` of them; `nextPageToken` goes on."""
        query = call.request.query_params
        wanted = query.get("perPage", str(PER_PAGE))
        if not wanted.isdecimal() or not 0 < int(wanted) <= MOST_PER_PAGE:
            raise Rejected(Reason.SCHEMA_INVALID, f"Expected 1..{MOST_PER_PAGE}, got {wanted!r}.", field="perPage")
        found, token = self._jobs.page(source=call.token_source, after=query.get("nextPageToken", ""), most=int(wanted))
        body = orjson.dumps([job.described() for job in found])
        response = Response(body, media_type="application/json", headers={"X-Request-Id": call.arrival.request})
        if token:
            response.headers["Link"] = f'</capture?perPage={wanted}&nextPageToken={quote(token, safe="")}>; rel="next"'
        return response

    async def job(self, call: Call) -> Response:
        """One job; 404 when this gateway does not know it, or not any more."""
        name = call.request.path_params["capture_id"]
        job = self._jobs.get(name, source=call.token_source)
        if job is None:
            detail = f"Expected a capture job of this gateway, got {name!r}."
            return refusal(404, "not_found", detail=detail, request=call.arrival.request)
        return answer(job.described(), request=call.arrival.request)

    def _errors(self, outcome: Outcome, call: Call) -> list[dict[str, Any]]:
        """Every fault of a document of which something was refused."""
        if outcome.refused is None and not outcome.captured.refused:
            return []
        faults = check_document(call.body, now_us=call.arrival.received_us).faults
        if not faults:  # too large an event for a broker is no fault of the document
            return [problem(413, str(why)) for _, why in outcome.captured.refused]
        return [problem(400, f"Expected {one.expected}, got {one.got}.") | _place(one) for one in faults]

    def standard(self, endpoint: Endpoint) -> Endpoint:
        """An endpoint as the standard has it: versions and limits in the headers, errors as problems."""

        async def serve(request: Request) -> Response:
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=self.headers | {"Allow": "OPTIONS, GET, POST"})
            response = _unsupported(request) or await endpoint(request)
            for name, value in self.headers.items():
                response.headers.setdefault(name, value)
            return _as_problem(response, request) if response.status_code >= 400 else response

        return serve


def capture_routes(capture: CaptureDoor, events: EpcisDoor, doorkeeper: Doorkeeper) -> list[BaseRoute]:
    """The doors of the standard's own names."""

    def route(path: str, method: str, handler: Handler) -> Route:
        endpoint = doorkeeper.endpoint("events" if path == "/events" else "capture", handler)
        return Route(path, capture.standard(endpoint), methods=[method, "OPTIONS"])

    return [
        route("/capture", "POST", capture.capture),
        route("/capture", "GET", capture.jobs),
        route("/capture/{capture_id:path}", "GET", capture.job),
        route("/events", "POST", events.events),
    ]


def problem(status: int, detail: str) -> dict[str, Any]:
    """A problem (RFC 7807), its type in the words of EPCIS."""
    kind, title = _TITLES.get(status, ("ImplementationException", "Not now" if status == 503 else "It failed"))
    return {"type": f"epcisException:{kind}", "title": title, "status": status, "detail": detail}


def _place(fault: Fault) -> dict[str, Any]:
    return {
        "pointer": fault.pointer,
        "rule": fault.rule.value,
        "section": fault.section,
        "expected": fault.expected,
        "got": fault.got,
    }


def _versions() -> dict[str, str]:
    return {f"GS1-{name}-{bound}": VERSION for name in ("EPCIS", "CBV") for bound in ("Version", "Min", "Max")}


def _unsupported(request: Request) -> Response | None:
    """The refusal of a version or a media type that is not ours, None when there is no reason for one."""
    name = request.headers.get("x-request-id", "")
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media in _XML:
        return refusal(415, "unknown_format", detail=f"Expected JSON or JSON-LD, got {media}.", request=name)
    for header in ("GS1-EPCIS-Version", "GS1-CBV-Version"):
        said = request.headers.get(header, VERSION)
        if not _VERSION.fullmatch(said):
            return refusal(406, "version", detail=f"Expected {header} {VERSION}, got {said!r}.", request=name)
    for header, sign in (("GS1-EPCIS-Min", 1), ("GS1-EPCIS-Max", -1), ("GS1-CBV-Min", 1), ("GS1-CBV-Max", -1)):
        said = request.headers.get(header, VERSION)
        if not _BOUND.fullmatch(said) or sign * _order(said) > sign * _order(VERSION):
            return refusal(406, "version", detail=f"Expected {header} {VERSION}, got {said!r}.", request=name)
    return None


def _order(version: str) -> float:
    major, minor = (*map(int, version.split(".")), 0)[:2]
    return major + minor / 1_000


def _as_problem(response: Response, request: Request) -> Response:
    body: dict[str, Any] = orjson.loads(response.body)
    said = problem(response.status_code, str(body.get("detail", ""))) | {"instance": request.url.path}
    headers = {
        name: value for name, value in response.headers.items() if name not in ("content-length", "content-type")
    }
    return Response(orjson.dumps(said | body), response.status_code, headers, "application/problem+json")
