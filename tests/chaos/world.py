"""What is sent: doors with pallets and items passing, an ERP that says what they are, a reader that also talks rubbish.

Everything is drawn from the seed, but for the instants: those are of the run. Whatever the gateway acknowledged is an
obligation.
"""

import json
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

COMPANY, ITEM, GTIN = "0614141", "812345", "80614141123458"
DOORS = 4
ANTENNAS = 4
UNITS = 12  # on a pallet
POST_S = 0.25
POSTS = 10  # of a pallet in the field of a door
VENDOR = "impinj-01"
VENDOR_DOOR = "belt"
SITE = (
    "".join(f'[[locations]]\nid = "{place}"\n' for place in ("hall", "yard", "floor"))
    + "".join(
        f'[[read_points]]\nid = "dock-{n}"\ninside = "hall"\noutside = "yard"\n'
        f'[[antennas]]\nreader = "reader-{n}"\nantenna = [1, 2]\nread_point = "dock-{n}"\nside = "inside"\n'
        f'[[antennas]]\nreader = "reader-{n}"\nantenna = [3, 4]\nread_point = "dock-{n}"\nside = "outside"\n'
        for n in range(DOORS)
    )
    + f'[[read_points]]\nid = "{VENDOR_DOOR}"\ninside = "floor"\n'
    + (f'[[antennas]]\nreader = "{VENDOR}"\nantenna = "all"\nread_point = "{VENDOR_DOOR}"\n')
)


@dataclass(frozen=True, slots=True)
class Read:
    """One read by its identity, and the read point of its antenna."""

    reader: str
    point: str
    tag: str
    antenna: int
    time_us: int


@dataclass(frozen=True, slots=True)
class Post:
    """One request, and what its acknowledgement obliges to."""

    path: str
    body: bytes
    name: str
    reads: tuple[Read, ...] = ()
    letters: tuple[bytes, ...] = ()
    events: int = 0


@dataclass
class Account:
    """What was issued and what was acknowledged; shared by all senders."""

    posts: dict[str, Post] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    retried: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def issue(self, post: Post) -> None:
        with self.lock:
            self.posts[post.name] = post

    def acknowledge(self, post: Post, *, tries: int) -> None:
        with self.lock:
            self.acknowledged.add(post.name)
            self.retried += tries - 1

    def obliged(self) -> list[Post]:
        with self.lock:
            return [self.posts[name] for name in sorted(self.acknowledged)]


def item_hex(serial: int) -> str:
    return f"{(0x30 << 88) | (1 << 85) | (5 << 82) | (int(COMPANY) << 58) | (int(ITEM) << 38) | serial:024X}"


def item_key(serial: int) -> str:
    return f"01/{GTIN}/21/{serial}"


def pallet_hex(number: int) -> str:
    return f"{(0x31 << 88) | (1 << 85) | (5 << 82) | (int(COMPANY) << 58) | ((1_000_000_000 + number) << 24):024X}"


def pallet_key(number: int) -> str:
    digits = f"1{COMPANY}{number:09d}"
    odd, even = digits[::2], digits[1::2]
    return f"00/{digits}{-(3 * sum(map(int, odd)) + sum(map(int, even))) % 10}"


def load_number(door: int, passing: int) -> int:
    """Of the pallet that is the n-th to pass a door."""
    return passing * DOORS + door


def door_posts(door: int, *, seed: int) -> Iterator[Post]:
    """For ever: what the reader of a door sees within a quarter of a second, one pallet after the other.

    The last unit of a pallet is one that nobody ever says anything about.
    """
    chance = random.Random(f"{seed}/{door}")
    number = 0
    while True:
        passing, within = divmod(number, POSTS)
        load = load_number(door, passing)
        things = [(item_hex(load * UNITS + n + 1), item_key(load * UNITS + n + 1)) for n in range(UNITS)]
        things.append((pallet_hex(load), pallet_key(load)))
        seen = [(chance.choice(things), chance.randint(1, ANTENNAS)) for _ in range(chance.randint(12, 36))]
        yield _native(door, seen, number=number, sides=(3, 4) if within < POSTS // 2 else (1, 2))
        number += 1


def _native(door: int, seen: list[tuple[tuple[str, str], int]], *, number: int, sides: tuple[int, int]) -> Post:
    now_us = time.time_ns() // 1000
    times = [now_us - (len(seen) - at) * 5_000 for at in range(len(seen))]
    words = list(dict.fromkeys(word for (word, _), _ in seen))
    antennas = [sides[antenna % 2] for _, antenna in seen]
    reader = f"reader-{door}"
    body = {
        "reader": reader,
        "t0_us": times[0],
        "tags": words,
        "tag": [words.index(word) for (word, _), _ in seen],
        "antenna": antennas,
        "last": [at - times[0] for at in times],
        "rssi": [-5_000 - 100 * antenna for antenna in antennas],
    }
    reads = tuple(
        Read(reader, f"dock-{door}", key, antenna, at)
        for ((_, key), _), antenna, at in zip(seen, antennas, times, strict=True)
    )
    return Post("/batches", json.dumps(body).encode(), f"{reader}/{number}", reads)


def vendor_posts(*, seed: int) -> Iterator[Post]:
    """A vendor's reader: eight items a request, every eighth of them no EPC at all."""
    chance = random.Random(f"{seed}/vendor")
    number = 0
    while True:
        now_us = time.time_ns() // 1000
        items, reads, letters = [], [], []
        for at in range(8):
            serial, time_us = 10_000_000 + number // 6 * 8 + chance.randrange(8), now_us - (8 - at) * 20_000
            good = chance.randrange(8) > 0
            word = item_hex(serial) if good else f"30{number:X}{at}Z"
            moment = (
                datetime.fromtimestamp(time_us / 1e6, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
            )
            tag = {"epcHex": word, "antennaPort": 1, "lastSeenTime": moment}
            item = {"hostname": VENDOR, "timestamp": moment, "eventType": "tagInventory", "tagInventoryEvent": tag}
            items.append(item)
            if good:
                micros = round(datetime.fromisoformat(moment).timestamp() * 1e6)
                reads.append(Read(VENDOR, VENDOR_DOOR, item_key(serial), 1, micros))
            else:
                letters.append(json.dumps(item).encode())
        body = json.dumps(items).encode()
        yield Post("/readers/impinj", body, f"{VENDOR}/{number}", tuple(reads), tuple(letters))
        number += 1


def erp_posts() -> Iterator[Post]:
    """What the loads are: half a second ahead of the goods or behind them, a lot per load."""
    passing = 0
    while True:
        events = [event for door in range(DOORS) for event in _events(load_number(door, passing))]
        yield Post("/events", json.dumps(events).encode(), f"erp/{passing}", events=len(events))
        passing += 1


def _events(load: int) -> list[dict[str, object]]:
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    items = [f"urn:epc:id:sgtin:{COMPANY}.{ITEM}.{load * UNITS + n + 1}" for n in range(UNITS - 1)]
    common = {"eventTime": moment, "eventTimeZoneOffset": "+00:00", "action": "ADD"}
    made = {
        "type": "ObjectEvent",
        "bizStep": "commissioning",
        "epcList": items,
        "ilmd": {"cbvmda:lotNumber": f"L{load}"},
        "readPoint": {"id": "https://example.org/plant"},
    }
    packed = {
        "type": "AggregationEvent",
        "bizStep": "packing",
        "parentID": f"urn:epc:id:sscc:{COMPANY}.1{load:09d}",
        "childEPCs": items,
    }
    return [common | made, common | packed]
