"""What comes in at the doors is repeated, torn, too large, slow, or of a clock that jumps."""

import gzip
import json
import socket
import threading
import time
from urllib.parse import urlsplit

import httpx

from tests.faults.fault import expect, fault
from tests.faults.feed import fresh_tags, reads
from tests.faults.ground import Ground

HOUR_S = 3_600.0


def _connection(ground: Ground) -> socket.socket:
    parts = urlsplit(ground.url)
    return socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=10)


def _head(length: int) -> bytes:
    fields = ("POST /readers/impinj HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {length}")
    return "\r\n".join([*fields, "", ""]).encode()


@fault(under_load=False)
def duplicate_requests(ground: Ground) -> str:
    """The same request eight times, four of them at once, some after a restart of the gateway."""
    tags, at = fresh_tags(10), time.time()

    def send() -> None:
        ground.account.post(ground.url, reader="twice", tags=tags, at=at, X_Request_Id="same")

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ground.renew("gateway")
    for _ in range(4):
        send()
    return "eight times 200, each read counted once"


@fault(under_load=False)
def duplicate_across_an_outage(ground: Ground) -> str:
    """Delivered, and sent again while Kafka is away: once live, once from the disk."""
    tags, at = fresh_tags(10), time.time()
    ground.account.post(ground.url, reader="twice", tags=tags, at=at)
    with ground.kafka_down():
        ground.account.post(ground.url, reader="twice", tags=tags, at=at)
    return "200 both times, each read counted once"


@fault()
def torn_bodies(ground: Ground) -> str:
    """Connections that end in the middle of a body."""
    body = json.dumps(reads("torn", ["E2FADEAD0000000000000001"], at=time.time())).encode()
    for cut in range(0, len(body), 13):
        with _connection(ground) as connection:
            connection.sendall(_head(len(body)) + body[:cut])
    return f"{len(range(0, len(body), 13))} torn requests left nothing behind"


@fault()
def body_too_large(ground: Ground) -> str:
    """One request beyond max_body_bytes, declared, and one that hides it in gzip."""
    plain = httpx.post(f"{ground.url}/readers/impinj", content=bytes(17 << 20), timeout=30)
    bomb = gzip.compress(bytes(64 << 20))
    packed = httpx.post(f"{ground.url}/readers/impinj", content=bomb, headers={"Content-Encoding": "gzip"}, timeout=30)
    expect((plain.status_code, packed.status_code) == (413, 413), f"got {plain.status_code}, {packed.status_code}")
    return f"413 for 17 MB, 413 for {len(bomb)} bytes that unpack to 64 MB"


@fault()
def slow_client(ground: Ground) -> str:
    """A client that sends a byte in a while, beside the others."""
    ground.account.longest_s = 0.0
    with _connection(ground) as connection:
        connection.sendall(_head(1_000))
        for _ in range(20):
            connection.sendall(b" ")
            time.sleep(0.2)
    expect(ground.account.longest_s < 3.0, f"Expected others served within 3 s, got {ground.account.longest_s:.1f} s.")
    return f"others waited {ground.account.longest_s:.2f} s at most"


@fault(under_load=False)
def clock_jumps(ground: Ground) -> str:
    """A reader's clock goes an hour ahead and is set right again; another one was never set."""
    for reader, ahead_s in (("jumps", 0.0), ("jumps", HOUR_S), ("jumps", HOUR_S), ("jumps", 0.0), ("unset", -1e9)):
        answer = ground.account.post(ground.url, reader=reader, at=time.time() + ahead_s)
        expect(answer.is_success, f"Expected every read taken, got {answer.text[:200]}.")
        expect(answer.json()["rejected"] == 0, f"Expected every time corrected, got {answer.text[:200]}.")
    return "every read taken, times corrected, blind windows of cause clock"


@fault()
def reader_buffered_for_hours(ground: Ground) -> str:
    """A reader sends what it kept for three hours, beside its live reads."""
    began = time.time() - 3 * HOUR_S
    for minute in range(0, 180, 6):
        ground.account.insist(ground.url, reader="kept", at=began + minute * 60, **{"Lotstream-Origin": "buffered"})
    return "300 reads of three hours taken in at once, in slots of their own time"
