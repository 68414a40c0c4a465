"""Steady load: every sender on its own thread, one request under way, sent again until it is acknowledged."""

import threading
import time
from collections.abc import Callable, Iterator

import httpx

from tests.chaos.world import (
    DOORS,
    POST_S,
    POSTS,
    VENDOR,
    VENDOR_DOOR,
    Account,
    Post,
    door_posts,
    erp_posts,
    vendor_posts,
)

RETRY_S = 0.3
TIMEOUT_S = 4.0


class Refused(Exception):
    """The gateway answered what no healthy request deserves."""


class Load:
    """Sends until told to stop; `stop` returns when everything issued is acknowledged."""

    def __init__(self, url: str, *, seed: int, account: Account) -> None:
        self._url = url
        self._account = account
        self._stop = threading.Event()
        self.failures: list[str] = []
        feeds: list[tuple[Iterator[Post], float]] = [(door_posts(door, seed=seed), POST_S) for door in range(DOORS)]
        feeds += [(vendor_posts(seed=seed), 0.5), (erp_posts(), POSTS * POST_S)]
        self._feeds = [feed for feed, _ in feeds]
        self._threads = [
            threading.Thread(target=self._guarded, args=(self._send_for_ever, feed, every_s), daemon=True)
            for feed, every_s in feeds
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, *, within_s: float = 120.0) -> None:
        self._stop.set()
        until = time.monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
            if thread.is_alive():
                self.failures.append(f"Expected every request acknowledged in {within_s:.0f} s, got one that is not.")

    def once(self, rounds: int) -> list[Post]:
        """A few more requests of every sender, one after the other; only after `stop`."""
        sent = []
        with httpx.Client(base_url=self._url, timeout=TIMEOUT_S) as client:
            for _ in range(rounds):
                for feed in self._feeds:
                    sent.append(next(feed))
                    self._deliver(client, sent[-1])
        return sent

    def end(self) -> None:
        """Every source says that it has no more: what a gateway kept while Kafka was away waits for more otherwise."""
        sources = {f"reader-{door}": f"dock-{door}" for door in range(DOORS)} | {VENDOR: VENDOR_DOOR}
        with httpx.Client(base_url=self._url, timeout=TIMEOUT_S) as client:
            for source, door in sources.items():
                client.post(f"/sources/{source}/end", json={"doors": [door]}).raise_for_status()

    def _guarded(self, body: Callable[[Iterator[Post], float], None], feed: Iterator[Post], every_s: float) -> None:
        try:
            body(feed, every_s)
        except Refused as refused:
            self.failures.append(str(refused))

    def _send_for_ever(self, feed: Iterator[Post], every_s: float) -> None:
        with httpx.Client(base_url=self._url, timeout=TIMEOUT_S) as client:
            while not self._stop.is_set():
                self._deliver(client, next(feed))
                self._stop.wait(every_s)

    def _deliver(self, client: httpx.Client, post: Post) -> None:
        self._account.issue(post)
        source = post.name.partition("/")[0]
        headers = {"X-Request-Id": post.name, "Lotstream-Source": source, "Content-Type": "application/json"}
        tries = 0
        while True:
            tries += 1
            try:
                answer = client.post(post.path, content=post.body, headers=headers)
            except httpx.TransportError:
                time.sleep(RETRY_S)
                continue
            if answer.is_success:
                self._account.acknowledge(post, tries=tries)
                return
            if answer.status_code != 503:
                raise Refused(f"Expected 2xx or 503 for {post.name}, got {answer.status_code}: {answer.text[:300]}")
            time.sleep(RETRY_S)
