"""What the world's devices send, byte for byte as real readers and scanners write it."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from lotstream.readers.world.plan import LabelScan, Passage
from lotstream.readers.world.site import READERS

REQUEST_READS = 2_000
VISIT_US = 8_000_000
ANTENNAS = (1, 2, 3, 4)


@dataclass(frozen=True, slots=True)
class Post:
    """One request of one device: where to, what, and how many reads are in it."""

    path: str
    source: str
    body: bytes
    reads: int


class Field:
    """The reads of a passage: every tag is seen some times, first by one side's antennas, then by the other's."""

    def __init__(self, seed: int, *, reads: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a simulation
        self._reads = reads

    def reads(self, passage: Passage) -> list[tuple[int, str, int, int]]:
        """(time in us, EPC hex, antenna, RSSI in 0.01 dBm), in order of time."""
        found = []
        for tag in passage.tags:
            if tag in passage.missed:
                continue
            for time_us, antenna in self._of_tag(passage):
                found.append((time_us, tag, antenna, -4_500 - self._random.randrange(2_500)))
        found.sort()
        return found

    def _of_tag(self, passage: Passage) -> Iterator[tuple[int, int]]:
        draw = self._random
        number = max(4, self._reads + draw.randrange(-3, 4))
        half = number // 2
        first, second = ((3, 4), (1, 2)) if passage.inward else ((1, 2), (3, 4))
        for index in range(number):
            # reads of one side come in the first part of the visit, of the other in the second
            start = 0 if index < half else VISIT_US // 2
            at = passage.at_us + start + draw.randrange(VISIT_US // 2 - 500_000)
            pair = (1, 2) if passage.inward is None else first if index < half else second
            yield at, pair[draw.randrange(2)]


def posts(passages: Iterable[Passage], field: Field) -> Iterator[Post]:
    """The requests of one reader, in order of time."""
    held: list[bytes] = []
    reader = ""
    for passage in passages:
        reader = passage.reader
        write = _impinj if READERS[reader][0] == "impinj" else _zebra
        for time_us, tag, antenna, rssi in field.reads(passage):
            held.append(write(reader, time_us, tag=tag, antenna=antenna, rssi=rssi))
            if len(held) == REQUEST_READS:
                yield _post(reader, held)
                held = []
    if held:
        yield _post(reader, held)


def _post(reader: str, rows: list[bytes]) -> Post:
    vendor = READERS[reader][0]
    return Post(f"/readers/{vendor}", reader, b"[" + b",".join(rows) + b"]", len(rows))


def _impinj(reader: str, time_us: int, *, tag: str, antenna: int, rssi: int) -> bytes:
    """A tagInventory event of Impinj's IoT device interface."""
    seen = f"{datetime.fromtimestamp(time_us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%S}.{time_us % 1_000_000:06d}000Z"
    return (
        f'{{"timestamp":"{seen}","hostname":"{reader}","eventType":"tagInventory","tagInventoryEvent":{{"epcHex":"{tag}",'
        f'"antennaPort":{antenna},"peakRssiCdbm":{rssi},"frequency":919750,"transmitPowerCdbm":3000,'
        f'"lastSeenTime":"{seen}"}}}}'
    ).encode()


def _zebra(reader: str, time_us: int, *, tag: str, antenna: int, rssi: int) -> bytes:
    """An inventory event of Zebra's IoT Connector."""
    seen = (
        f"{datetime.fromtimestamp(time_us // 1_000_000, UTC):%Y-%m-%dT%H:%M:%S}.{time_us % 1_000_000 // 1000:03d}+0000"
    )
    return (
        f'{{"type":"INVENTORY","timestamp":"{seen}","data":{{"hostName":"{reader}","antenna":{antenna},"eventNum":1,'
        f'"format":"epc","idHex":"{tag.lower()}","peakRssi":{rssi // 100},"reads":1}}}}'
    ).encode()


def scan_posts(scans: Iterable[LabelScan], *, boot: str) -> Iterator[Post]:
    """The requests of one scanner."""
    rows: list[dict[str, object]] = []
    scanner = ""
    for scan in scans:
        scanner = scan.scanner
        at = datetime.fromtimestamp(scan.at_us / 1_000_000, UTC).isoformat(timespec="milliseconds")
        row = {"scanner": scanner, "data": scan.data, "time": at, "boot": boot, "sequence": scan.sequence}
        order = {"document": scan.document, "line": scan.line, "party": scan.party} if scan.document else {}
        rows.append(row | order)
    for start in range(0, len(rows), 200):
        part = rows[start : start + 200]
        yield Post("/scans", scanner, orjson.dumps(part), len(part))


def event_posts(events: Iterable[dict[str, object]], *, source: str) -> Iterator[Post]:
    """The requests of the ERP: EPCIS 2.0 documents of up to 50 events."""
    rows = list(events)
    for start in range(0, len(rows), 50):
        part = rows[start : start + 50]
        document = {
            "@context": [
                "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
                {"lotstream": "https://lotstream.example/ns/", "cbvmda": "urn:epcglobal:cbv:mda:"},
            ],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2025-11-17T06:00:00.000Z",
            "epcisBody": {"eventList": part},
        }
        yield Post("/epcis/capture", source, orjson.dumps(document), len(part))
