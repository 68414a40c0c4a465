"""Readers under load: every read has a tag of its own, is sent until it is acknowledged, and is an obligation then."""

import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

RETRY_S = 0.2
TIMEOUT_S = 8.0
EVERY_S = 0.1
READS = 10
_numbers = itertools.count(1)


def fresh_tags(count: int) -> list[str]:
    """EPCs of no scheme of GS1, never given out before."""
    return [f"E2FA{next(_numbers):020X}" for _ in range(count)]


def reads(reader: str, tags: list[str], *, at: float) -> list[dict[str, Any]]:
    """A request of the Impinj door: each tag once, seen at an instant (s since 1970)."""
    seen = datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
    return [
        {
            "timestamp": seen,
            "hostname": reader,
            "eventType": "tagInventory",
            "tagInventoryEvent": {"epcHex": tag, "antennaPort": 1, "lastSeenTime": seen},
        }
        for tag in tags
    ]


@dataclass
class Account:
    """What one fault owes: tags issued, those acknowledged, and how often the door refused."""

    issued: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    excused: set[str] = field(default_factory=set)  # told as lost, by a blind window
    refused: int = 0
    longest_s: float = 0.0

    def post(
        self, url: str, *, reader: str, tags: list[str] | None = None, at: float, **headers: str
    ) -> httpx.Response:
        """One request; its reads are obligations when it is acknowledged."""
        tags = fresh_tags(READS) if tags is None else tags
        self.issued.update(tags)
        began = time.monotonic()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = httpx.post(
            f"{url}/readers/impinj",
            content=json.dumps(reads(reader, tags, at=at)),
            headers={"Content-Type": "application/json", **named},
            timeout=TIMEOUT_S,
        )
        self.longest_s = max(self.longest_s, time.monotonic() - began)
        if answer.is_success:
            self.acknowledged.update(tags)
        else:
            self.refused += 1
        return answer

    def insist(self, url: str, *, reader: str, within_s: float = 90.0, at: float | None = None, **headers: str) -> None:
        """The very same request until it is acknowledged. Raises TimeoutError."""
        tags, at = fresh_tags(READS), at or time.time() - 0.05
        until = time.monotonic() + within_s
        while True:
            try:
                answer = self.post(url, reader=reader, tags=tags, at=at, **headers)
                if answer.is_success:
                    return
                why = f"{answer.status_code} {answer.text[:200]}"
            except httpx.TransportError as error:
                self.refused += 1
                why = type(error).__name__
            if time.monotonic() > until:
                raise TimeoutError(f"Expected a request acknowledged within {within_s:.0f} s, got {why}.")
            time.sleep(RETRY_S)


class Feed:
    """Two readers that send steadily until told to stop, each request until it is acknowledged."""

    def __init__(self, url: str, name: str, account: Account) -> None:
        self._url = url
        self._account = account
        self._stop = threading.Event()
        self.failure = ""
        self._threads = [
            threading.Thread(target=self._send, args=(f"{name}-{number}",), daemon=True) for number in range(2)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Return when nothing is under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self, reader: str) -> None:
        while not self._stop.is_set() and not self.failure:
            try:
                self._account.insist(self._url, reader=reader)
            except TimeoutError as error:
                self.failure = str(error)
            self._stop.wait(EVERY_S)
