"""Files of EPCIS documents through the capture interface of a gateway: whole, or a large one in parts.

With ``rollback`` a file goes in whole or not at all: one that does not fit into a request is checked before the first
part of it is sent. With ``proceed`` each bad event becomes a dead letter beside the good ones.
"""

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from lotstream.readers.epcis_door import PROCEED, ROLLBACK
from lotstream.runtime.errors import Reason, Rejected, Transient
from lotstream.schemas.epcis import check_document
from lotstream.schemas.epcis.split import Part, parts_of

PART_BYTES, PART_EVENTS = 2_000_000, 2_000
RETRY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How to send. ``wait_s``: for how long a gateway may be away at a stretch."""

    proceed: bool = False
    source: str = ""
    token: str = ""
    wait_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """One event that was not taken: its position in the file (-1: the file itself), and why."""

    index: int
    field: str
    detail: str


@dataclass(slots=True)
class Loaded:
    """What became of a file. ``dead_letters`` are of this source."""

    file: Path
    source: str
    total_bytes: int
    sent_bytes: int = 0
    requests: int = 0
    accepted: int = 0
    rejected: int = 0
    dead_letters: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    flags: list[dict[str, Any]] = field(default_factory=list)


def load(file: Path, order: Order, *, client: httpx.Client, report: Callable[[Loaded], None]) -> Loaded:
    """Send one file. Raises Transient when the gateway stays away; Rejected when it refuses us altogether."""
    value = file.read_bytes()
    loaded = Loaded(file, order.source or f"file:{quote(file.name)}"[:200], len(value))
    digest = hashlib.sha256(value).hexdigest()[:32]
    for number, part in enumerate(_parts(value, loaded, order)):
        said = _send(client, part, loaded, order, request=f"load:{digest}:{number}")
        _count(loaded, part, said, order)
        report(loaded)
    return loaded


def _parts(value: bytes, loaded: Loaded, order: Order) -> Iterator[Part]:
    if len(value) <= PART_BYTES:
        yield Part(value, 0, 0, _is_document(value))
        return
    try:
        parts = list(parts_of(value, most_bytes=PART_BYTES, most_events=PART_EVENTS))
    except Rejected as rejected:
        loaded.rejected = 1
        loaded.refusals.append(Refusal(-1, rejected.field or "", rejected.detail))
        return
    if not order.proceed:
        for part in parts:
            _check(part, loaded)
    if not loaded.refusals:
        yield from parts


def _is_document(value: bytes) -> bool:
    """Whether the door of documents is the one to knock at; what is no JSON goes there as well."""
    try:
        found = orjson.loads(value)
    except orjson.JSONDecodeError:
        return True
    return isinstance(found, dict) and str(found.get("type")).startswith("EPCIS")


def _check(part: Part, loaded: Loaded) -> None:
    found = check_document(part.body, now_us=time.time_ns() // 1_000).faults
    faults = [{"pointer": one.pointer, "detail": f"Expected {one.expected}, got {one.got}."} for one in found]
    loaded.refusals += [_refusal(fault, part) for fault in faults]
    loaded.rejected = len({one.index for one in loaded.refusals})


def _refusal(said: dict[str, Any], part: Part) -> Refusal:
    """Of a fault with its pointer, or of an error with its index; of the file as a whole when it has neither."""
    steps = str(said.get("pointer", "")).split("/")
    at = next((number for number, step in enumerate(steps) if step.isdecimal()), 0)
    if at:
        return Refusal(part.first + int(steps[at]), ".".join(steps[at + 1 :]), str(said["detail"]))
    index = part.first + int(said["index"]) if "index" in said else -1
    return Refusal(index, str(said.get("field", "")), str(said.get("detail", "")))


def _send(client: httpx.Client, part: Part, loaded: Loaded, order: Order, *, request: str) -> dict[str, Any]:
    headers = {
        "Content-Type": "application/json",
        "Lotstream-Origin": "file",
        "Lotstream-Source": loaded.source,
        "X-Request-Id": request,
        "GS1-Capture-Error-Behaviour": PROCEED if order.proceed else ROLLBACK,
        **({"Authorization": f"Bearer {order.token}"} if order.token else {}),
    }
    path = "/capture" if part.is_document else "/events"
    until = time.monotonic() + order.wait_s
    while True:
        try:
            response = client.post(path, content=part.body, headers=headers)
            got = str(response.status_code)
        except httpx.TransportError as error:
            response, got = None, type(error).__name__
        if response is not None and response.status_code not in (429, 503):
            break
        if time.monotonic() >= until:
            raise Transient(f"Expected the gateway at {client.base_url} to take {loaded.file.name}, got {got}.")
        time.sleep(RETRY_S)
    said = orjson.loads(response.content) if response.content else {}
    if response.is_error and not (isinstance(said, dict) and response.status_code in (400, 413)):
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected 2xx of {path}, got {got}: {response.text[:300]}")
    return dict(said)


def _count(loaded: Loaded, part: Part, said: dict[str, Any], order: Order) -> None:
    loaded.requests += 1
    loaded.sent_bytes += len(part.body)
    loaded.accepted += int(said.get("accepted", 0))
    rejected = int(said.get("rejected", 1 if "error" in said else 0))
    loaded.rejected += rejected
    loaded.dead_letters += rejected if order.proceed else 0
    for flag in said.get("flags", ()):
        loaded.flags.append(flag | {"index": part.first + int(flag["index"])})
    errors = said.get("errors") or ([said] if "error" in said else [])
    loaded.refusals += [_refusal(one, part) for one in errors]
