"""What the world's devices send, byte for byte as real readers and scanners write it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import orjson
from numpy.typing import NDArray

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
        self._random = np.random.default_rng(seed)
        self._reads = reads

    def reads(self, passage: Passage) -> "Reads":
        """The reads of a passage, in order of time."""
        draw = self._random
        seen = [index for index, tag in enumerate(passage.tags) if tag not in passage.missed]
        numbers = np.maximum(4, self._reads + draw.integers(-3, 4, len(seen)))
        total = int(numbers.sum())
        tag = np.repeat(np.array(seen, np.int64), numbers)
        order = np.arange(total) - np.repeat(np.cumsum(numbers) - numbers, numbers)
        later = order >= np.repeat(numbers // 2, numbers)
        # reads of one side come in the first part of the visit, of the other in the second
        at = passage.at_us + later * (VISIT_US // 2) + draw.integers(0, VISIT_US // 2 - 500_000, total)
        outer = np.zeros(total, bool) if passage.inward is None else later != passage.inward
        antenna = draw.integers(1, 3, total) + 2 * outer
        rssi = -4_500 - draw.integers(0, 2_500, total)
        rows = np.argsort(at, kind="stable")
        return Reads(at[rows].astype("M8[us]"), tag[rows], antenna[rows], rssi[rows])


@dataclass(frozen=True, slots=True)
class Reads:
    """Columns of equal length."""

    at: NDArray[np.datetime64]  # us, UTC
    tag: NDArray[np.int64]  # index into the passage's tags
    antenna: NDArray[np.int64]
    rssi: NDArray[np.int64]  # 0.01 dBm


def posts(passages: Iterable[Passage], field: Field) -> Iterator[Post]:
    """The requests of one reader, in order of time."""
    held: list[str] = []
    reader = ""
    for passage in passages:
        reader = passage.reader
        write = _impinj if READERS[reader][0] == "impinj" else _zebra
        held += write(passage, field.reads(passage))
        while len(held) >= REQUEST_READS:
            yield _post(reader, held[:REQUEST_READS])
            del held[:REQUEST_READS]
    if held:
        yield _post(reader, held)


def _post(reader: str, rows: list[str]) -> Post:
    vendor = READERS[reader][0]
    return Post(f"/readers/{vendor}", reader, f"[{','.join(rows)}]".encode(), len(rows))


def _impinj(passage: Passage, reads: Reads) -> list[str]:
    """tagInventory events of Impinj's IoT device interface."""
    head = f'","hostname":"{passage.reader}","eventType":"tagInventory","tagInventoryEvent":{{"epcHex":"'
    tail = ',"frequency":919750,"transmitPowerCdbm":3000,"lastSeenTime":"'
    columns = (np.datetime_as_string(reads.at), reads.tag, reads.antenna, reads.rssi)
    return [
        f'{{"timestamp":"{at}000Z{head}{passage.tags[tag]}","antennaPort":{antenna},"peakRssiCdbm":{rssi}{tail}{at}000Z"}}}}'
        for at, tag, antenna, rssi in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _zebra(passage: Passage, reads: Reads) -> list[str]:
    """Inventory events of Zebra's IoT Connector."""
    head = f'+0000","data":{{"hostName":"{passage.reader}","antenna":'
    tags = [tag.lower() for tag in passage.tags]
    columns = (np.datetime_as_string(reads.at, unit="ms"), reads.tag, reads.antenna, reads.rssi // 100)
    return [
        f'{{"type":"INVENTORY","timestamp":"{at}{head}{antenna},"eventNum":1,"format":"epc","idHex":"{tags[tag]}",'
        f'"peakRssi":{rssi},"reads":1}}}}'
        for at, tag, antenna, rssi in zip(*(column.tolist() for column in columns), strict=True)
    ]


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
