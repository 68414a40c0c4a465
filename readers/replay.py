"""Recorded files through the gateway: the same formats as readers send, faster or slower than they were recorded.

Everything goes in with origin ``file`` under one source per file, which is ended after it. A request keeps its id
when it is sent again, and an outage is waited for.
"""

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from lotstream.readers.formats import impinj, keonn, scans, zebra
from lotstream.readers.formats.framing import frame
from lotstream.readers.formats.items import Parsed
from lotstream.readers.formats.scans import Scanning
from lotstream.runtime.errors import Reason, Rejected, Transient
from lotstream.runtime.retry import persist_async

PER_POST = 200
POST_BYTES = 1_000_000  # of an array, beyond which it is sent
_LINES = (".jsonl", ".ndjson")
_EVENTS = ("epcisBody", "@context", "eventTime")


class Format(StrEnum):
    """What a recorded file holds, by its door."""

    IMPINJ = "impinj"
    ZEBRA = "zebra"
    KEONN = "keonn"
    SCANS = "scans"
    BATCHES = "batches"
    EVENTS = "events"
    DECISIONS = "decisions"
    READS = "reads"


_PATHS = {
    Format.IMPINJ: "/readers/impinj",
    Format.ZEBRA: "/readers/zebra",
    Format.KEONN: "/readers/keonn",
    Format.SCANS: "/scans",
    Format.BATCHES: "/batches",
    Format.EVENTS: "/events",
    Format.DECISIONS: "/decisions",
    Format.READS: "/reads",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What to send where. ``speed`` 1 is as recorded, 10 ten times that, 0 as fast as the gateway takes it."""

    url: str
    speed: float = 0.0
    format: Format | None = None
    mapping: str = ""
    reader: str = ""
    token: str = ""
    source: str = ""


@dataclass(slots=True)
class Progress:
    """How far a replay is: posts answered, what they held, and bytes of the file."""

    file: Path
    posts: int = 0
    accepted: int = 0
    rejected: int = 0
    sent_bytes: int = 0
    total_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Post:
    """One request body, and the time of its first read, when it tells one."""

    body: bytes
    time_us: int | None


async def replay(
    files: Sequence[Path],
    what: Replay,
    *,
    report: Callable[[Progress], None],
    client: httpx.AsyncClient | None = None,
) -> list[Progress]:
    """Send each file and end its source; what became of each. Raises Rejected for a file that is in no known format."""
    owned = client is None
    client = client or httpx.AsyncClient(base_url=what.url, timeout=60.0)
    try:
        return [await _replay_file(file, what, report=report, client=client) for file in files]
    finally:
        if owned:
            await client.aclose()


async def _replay_file(
    file: Path, what: Replay, *, report: Callable[[Progress], None], client: httpx.AsyncClient
) -> Progress:
    kind = what.format or guess_format(file, mapping=what.mapping)
    source = what.source or f"file:{quote(file.name)}"[:200]
    progress = Progress(file, total_bytes=file.stat().st_size)
    pace = _Pace(what.speed)
    for number, post in enumerate(posts_of(file, kind)):
        await pace.wait(post.time_us)
        answered = await _send(client, what, path=_path(kind, what), body=post.body, source=source, number=number)
        progress.posts += 1
        progress.accepted += int(answered.get("accepted", 0))
        progress.rejected += int(answered.get("rejected", 0))
        progress.sent_bytes += len(post.body)
        report(progress)
    await _send(client, what, path=f"/sources/{quote(source, safe='')}/end", body=b"", source=source, number=-1)
    return progress


def guess_format(file: Path, *, mapping: str = "") -> Format:
    """The format of a file, by its first item. Raises Rejected."""
    if mapping:
        return Format.READS
    with file.open("rb") as opened:
        first = opened.readline() if file.suffix in _LINES else opened.read()
    if first.lstrip()[:1] == b"<":
        return Format.KEONN
    for value in frame(first).values:
        if isinstance(value, dict):
            return _format_of(value, file)
    raise Rejected(Reason.UNKNOWN_FORMAT, f"Expected recorded reads, scans or events in {file.name!r}, got others.")


def _format_of(value: dict[str, object], file: Path) -> Format:
    if any(name in value for name in _EVENTS) or str(value.get("type")).startswith("EPCIS"):
        return Format.EVENTS
    if "tagInventoryEvent" in value or "eventType" in value:
        return Format.IMPINJ
    if "tags" in value and "t0_us" in value:
        return Format.BATCHES
    if isinstance(value.get("data"), str):
        return Format.SCANS
    if "type" in value and "timestamp" in value:
        return Format.ZEBRA
    raise Rejected(Reason.UNKNOWN_FORMAT, f"Expected a known format in {file.name!r}, got {sorted(value)}.")


def posts_of(file: Path, kind: Format) -> Iterator[Post]:
    """The file in request bodies of at most 200 items, every item with its own bytes."""
    if file.suffix in _LINES:
        with file.open("rb") as opened:
            yield from _of_lines((line for line in opened if line.strip()), kind)
        return
    body = file.read_bytes()
    if kind in (Format.KEONN, Format.READS, Format.EVENTS, Format.DECISIONS):
        yield _post(body, kind)
        return
    framed = frame(body)
    yield from _arrays(
        ((framed.raw(index), isinstance(value, Rejected)) for index, value in enumerate(framed.values)), kind
    )


def _of_lines(lines: Iterator[bytes], kind: Format) -> Iterator[Post]:
    if kind in (Format.BATCHES, Format.EVENTS, Format.DECISIONS):
        # these doors take arrays, not lines
        yield from _arrays(((line.strip(), _stands_alone(line)) for line in lines), kind)
        return
    while part := list(itertools.islice(lines, PER_POST)):
        yield _post(b"".join(part), kind)


def _stands_alone(line: bytes) -> bool:
    """A document of events, or what is no JSON."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return True
    return isinstance(value, list) or (isinstance(value, dict) and "epcisBody" in value)


def _arrays(items: Iterable[tuple[bytes, bool]], kind: Format) -> Iterator[Post]:
    """Items in arrays; one that would spoil the array of others goes alone."""
    good: list[bytes] = []
    size = 0
    for item, alone in items:
        if alone:
            yield Post(item, None)
            continue
        good.append(item)
        size += len(item)
        if len(good) == PER_POST or size > POST_BYTES:
            yield _post(_array(good), kind)
            good, size = [], 0
    if good:
        yield _post(_array(good), kind)


def _array(items: list[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"


def _post(body: bytes, kind: Format) -> Post:
    parsed = _parsed(body, kind)
    times = (
        []
        if parsed is None
        else [read.last_us for read in parsed.reads] + [label.device_time_us for label in parsed.labels]
    )
    return Post(body, min(times) if times else None)


def _parsed(body: bytes, kind: Format) -> Parsed | None:
    if kind is Format.IMPINJ:
        return impinj.parse(body)
    if kind is Format.ZEBRA:
        return zebra.parse(body)
    if kind is Format.KEONN:
        return keonn.parse(body)
    if kind is Format.SCANS:
        return scans.parse(body, scanning=Scanning(scanner="", received_us=time.time_ns() // 1_000))
    return None


class _Pace:
    """Waits so that the time between reads is the recorded one divided by the speed."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._start: tuple[float, int] | None = None

    async def wait(self, time_us: int | None) -> None:
        if not self._speed or time_us is None:
            return
        now = time.monotonic()
        if self._start is None:
            self._start = (now, time_us)
        due = self._start[0] + (time_us - self._start[1]) / 1e6 / self._speed
        await asyncio.sleep(max(0.0, due - now))


def _path(kind: Format, what: Replay) -> str:
    return f"{_PATHS[kind]}?mapping={quote(what.mapping)}" if kind is Format.READS else _PATHS[kind]


async def _send(
    client: httpx.AsyncClient, what: Replay, *, path: str, body: bytes, source: str, number: int
) -> dict[str, Any]:
    headers = {
        "Lotstream-Origin": "file",
        "Lotstream-Source": source,
        "X-Request-Id": f"{source}:{number}".encode("ascii", "backslashreplace").decode()[-200:],
        "Content-Type": "application/json",
        # a bad event of a file goes to the dead letters and holds up none beside it
        "GS1-Capture-Error-Behaviour": "proceed",
    }
    if what.reader:
        headers["Lotstream-Reader"] = what.reader
    if what.token:
        headers["Authorization"] = f"Bearer {what.token}"

    async def attempt() -> httpx.Response:
        try:
            response = await client.post(path, content=body, headers=headers)
        except httpx.TransportError as error:
            raise Transient(f"Expected the gateway to answer, got {type(error).__name__}.") from None
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise Transient("Expected the gateway to take it, got 503.", retry_after_s=1.0)
        return response

    response = await persist_async(attempt, stop=asyncio.Event())
    found = _answer(response)
    # a body that is no document is refused whole; that its bytes are kept, its counts say
    if response.is_error and not (response.status_code == httpx.codes.BAD_REQUEST and "rejected" in found):
        raise Rejected(
            Reason.SCHEMA_INVALID, f"Expected 2xx of {path}, got {response.status_code}: {response.text[:500]}"
        )
    return found


def _answer(response: httpx.Response) -> dict[str, Any]:
    try:
        found = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
