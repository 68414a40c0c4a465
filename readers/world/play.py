"""Plays a world through the gateway's HTTP door: every device sends its own requests in its own order."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from lotstream.readers.world.formats import Field, Post, event_posts, posts, scan_posts
from lotstream.readers.world.plan import LabelScan, Passage, World

ERP = "erp"
LATE = "erp-late"
TIMEOUT_S = 60.0
RETRY_S = 0.2
Progress = Callable[[str, int, int], None]  # device, done, of


class PlayFailed(Exception):
    """The gateway did not take a request as it should."""


@dataclass(slots=True)
class Played:
    """What came of it."""

    reads: int = 0
    events: int = 0
    rejected: int = 0
    requests: int = 0
    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """Of the requests' times from sending to durable, in ms."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Player:
    """Sends a world's requests to a gateway, and waits out a gateway that is away."""

    def __init__(self, url: str, *, token: str = "") -> None:
        headers = {"Lotstream-Origin": "file"} | ({"Authorization": f"Bearer {token}"} if token else {})
        # one for all devices, each of which keeps a connection busy: a client costs 30 ms to make
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._client = httpx.Client(base_url=url, timeout=TIMEOUT_S, headers=headers, limits=limits)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.played = Played()

    def play(self, world: World, progress: Progress) -> Played:
        """Everything, each device on a thread of its own. Raises PlayFailed.

        The ERP books before the goods move, but for what it books late: that comes last.
        """
        started = time.perf_counter()
        devices = dict(requests_by_device(world))
        booked, late = devices.pop(ERP), devices.pop(LATE)
        with self._client:
            self._device(ERP, booked, progress)
            self._at_once(devices, progress)
            self._device(LATE, late, progress)
        self.played.seconds = time.perf_counter() - started
        return self.played

    def stop(self) -> None:
        """Send no more."""
        self._stop.set()

    def _at_once(self, devices: "Mapping[str, Device]", progress: Progress) -> None:
        with ThreadPoolExecutor(len(devices)) as pool:
            running = [pool.submit(self._device, name, sent, progress) for name, sent in devices.items()]
            try:
                for future in running:
                    future.result()
            except BaseException:
                self._stop.set()
                raise

    def _device(self, name: str, sent: "Device", progress: Progress) -> None:
        done = 0
        for number, post in enumerate(sent.posts):
            self._send(post, request=f"{name}-{number}")
            done += post.reads
            progress(name, done, sent.total)
        if sent.reader:
            self._checked(lambda: self._client.post(f"/sources/{name}/end"))

    def _send(self, post: Post, *, request: str) -> None:
        headers = {"Lotstream-Source": post.source, "X-Request-Id": request, "Content-Type": "application/json"}
        started = time.perf_counter()
        answer = self._checked(lambda: self._client.post(post.path, content=post.body, headers=headers)).json()
        with self._lock:
            played = self.played
            played.latencies_ms.append((time.perf_counter() - started) * 1000)
            played.requests += 1
            played.rejected += int(answer.get("rejected", 0))
            if post.source == ERP:
                played.events += post.reads
            else:
                played.reads += post.reads

    def _checked(self, call: Callable[[], httpx.Response]) -> httpx.Response:
        """The answer, once the gateway gives one: a connection that breaks or a 503 is tried again."""
        while not self._stop.is_set():
            try:
                answer = call()
            except httpx.TransportError:
                time.sleep(RETRY_S)
                continue
            if answer.status_code == 503:
                time.sleep(float(answer.headers.get("Retry-After", RETRY_S)))
                continue
            if answer.is_error:
                raise PlayFailed(
                    f"Expected 2xx from {answer.request.url}, got {answer.status_code}: {answer.text[:500]}"
                )
            return answer
        raise PlayFailed("Expected to play on, got stopped.")


@dataclass(frozen=True, slots=True)
class Device:
    """One device's requests, in order."""

    posts: Iterator[Post]
    total: int  # reads, scans or events
    reader: bool


def requests_by_device(world: World) -> Iterator[tuple[str, Device]]:
    """Readers, scanners and the ERP, each with its requests in order of time."""
    passages: dict[str, list[Passage]] = defaultdict(list)
    scans: dict[str, list[LabelScan]] = defaultdict(list)
    booked: dict[str, list[dict[str, object]]] = {ERP: [], LATE: []}
    for happening in world.happenings():
        if isinstance(happening, Passage):
            passages[happening.reader].append(happening)
        elif isinstance(happening, LabelScan):
            scans[happening.scanner].append(happening)
        else:
            booked[LATE if happening.late else ERP].append(happening.event)
    for name, events in booked.items():
        yield name, Device(event_posts(events, source=ERP), len(events), reader=False)
    reads = world.scale.reads
    for seed, (reader, own) in enumerate(sorted(passages.items())):
        own.sort(key=lambda passage: passage.at_us)
        tags = sum(len(passage.tags) - len(passage.missed) for passage in own)
        yield reader, Device(posts(own, Field(seed, reads=reads)), tags * reads, reader=True)
    for scanner, found in sorted(scans.items()):
        found.sort(key=lambda scan: scan.at_us)
        yield scanner, Device(scan_posts(found, boot="1"), len(found), reader=True)
