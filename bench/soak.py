"""`python -m bench.soak`: a steady load for an hour; does memory grow, do descriptors leak, does latency stay flat.

Writes build/soak.json, of which bench.soak_page makes a page; exit 1 when one of our processes fails.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import orjson
from confluent_kafka import Consumer

from bench.measure import percentile_ms
from bench.pipeline import Broker
from bench.portal import SECOND, Batch, Portal, commissionings, world
from lotstream.deploy.embedded.ports import free_port
from lotstream.runtime.settings import KafkaSettings, Settings, TopicSettings
from lotstream.schemas.movements import decode_movements
from lotstream.schemas.sightings import Direction

LOTSTREAM = (sys.executable, "-m", "lotstream.cli.main")
OURS = ("gateway", "worker-door", "worker-lot", "sink")
SEGMENT = 50  # batches of half a second
WARM = 0.25  # share of the time in which caches fill
LIMIT_MB_H = 5.0
FLAT = 1.5  # p99 of the second half against that of the first
RETRIES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / (1 << 20)


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: seconds since the start, resident MB and open descriptors by process, latencies since the last look."""

    at_s: float
    rss_mb: dict[str, float]
    descriptors: dict[str, int]
    p50_ms: float | None
    p99_ms: float | None


@dataclass(slots=True)
class Soak:
    """What was seen."""

    samples: list[Sample] = field(default_factory=list)
    sent: int = 0
    late: int = 0  # batches that could not be sent in time
    again: int = 0  # requests that were sent again
    restarts: int = 0  # processes that ended, and were started anew

    @property
    def warm(self) -> list[Sample]:
        """Samples after the caches are full."""
        return self.samples[int(len(self.samples) * WARM) :]

    def slope_mb_h(self, name: str) -> float:
        """Growth of resident memory by least squares, after warm-up."""
        at = [sample.at_s / 3_600 for sample in self.warm]
        mb = [sample.rss_mb[name] for sample in self.warm]
        mean_at, mean_mb = sum(at) / len(at), sum(mb) / len(mb)
        spread = sum((x - mean_at) ** 2 for x in at)
        return sum((x - mean_at) * (y - mean_mb) for x, y in zip(at, mb, strict=True)) / spread if spread else 0.0

    def descriptors_grown(self, name: str) -> int:
        """The fewest open descriptors in the last third after warm-up above those in the first.

        Requests under way have descriptors too, now more, now fewer: only what is open at every look has leaked.
        """
        seen = [sample.descriptors[name] for sample in self.warm]
        third = len(seen) // 3
        return min(seen[-third:]) - min(seen[:third]) if third else 0

    def latency_ratio(self) -> float:
        """Median p99 of the second half over that of the first."""
        p99 = [sample.p99_ms for sample in self.warm if sample.p99_ms is not None]
        half = len(p99) // 2
        return sorted(p99[half:])[len(p99[half:]) // 2] / sorted(p99[:half])[half // 2] if half else 1.0

    def faults(self) -> list[str]:
        """What is wrong, in words."""
        wrong = [
            f"Expected {name} to grow less than {LIMIT_MB_H} MB/h, got {slope:.1f}."
            for name in OURS
            if (slope := self.slope_mb_h(name)) >= LIMIT_MB_H
        ]
        wrong += [
            f"Expected {name} to open no more descriptors, got {more} more."
            for name in OURS
            if (more := self.descriptors_grown(name)) > 0
        ]
        if self.restarts:
            wrong.append(f"Expected every process to live through, got {self.restarts} that ended.")
        if (ratio := self.latency_ratio()) > FLAT:
            wrong.append(f"Expected p99 to stay flat, got {ratio:.2f} times that of the first half.")
        return wrong


@contextmanager
def running(run_dir: Path, portal: Portal) -> Iterator[dict[str, str]]:
    """The stack of `lotstream up` in a directory of its own; its environment."""
    site = run_dir / "site.toml"
    site.write_text("".join(map(_door, range(portal.points))), encoding="utf-8")
    env = os.environ | {
        "LOTSTREAM_RUN_DIR": str(run_dir),
        "LOTSTREAM_DATA_DIR": str(run_dir / "data"),
        "LOTSTREAM_GATEWAY__SITE_FILE": str(site),
        "LOTSTREAM_GATEWAY__PORT": str(free_port()),
        "LOTSTREAM_LOG__LEVEL": "WARNING",
    }
    subprocess.run([*LOTSTREAM, "up"], env=env, check=True, stdout=subprocess.DEVNULL)
    try:
        yield env
    finally:
        subprocess.run([*LOTSTREAM, "down"], env=env, check=True, stdout=subprocess.DEVNULL)


def _door(n: int) -> str:
    return (
        f'[[locations]]\nid = "hall-{n}"\n[[locations]]\nid = "yard-{n}"\n'
        f'[[read_points]]\nid = "dock-{n}"\ninside = "hall-{n}"\noutside = "yard-{n}"\n'
        f'[[antennas]]\nreader = "reader-{n}"\nantenna = [1, 2]\nread_point = "dock-{n}"\nside = "inside"\n'
        f'[[antennas]]\nreader = "reader-{n}"\nantenna = [3, 4]\nread_point = "dock-{n}"\nside = "outside"\n'
    )


def status(env: dict[str, str]) -> dict[str, tuple[int, str]]:
    """Process id and address by process."""
    told = subprocess.run([*LOTSTREAM, "status", "--json"], env=env, check=True, capture_output=True).stdout
    return {row["name"]: (row["pid"], row["address"]) for row in orjson.loads(told)}


def looked(pid: int) -> tuple[float, int]:
    """(resident MB, open descriptors) of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * _PAGE_MB, sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def send(url: str, portal: Portal, soak: Soak, *, until: float) -> None:
    """Every door's batches when they are due, segment after segment, until a monotonic instant."""
    seed = portal.seed
    with httpx.Client(base_url=url, timeout=30.0) as client, ThreadPoolExecutor(4) as senders:
        while time.monotonic() < until:
            start_us = int((time.time() + 0.5) * SECOND)
            segment = replace(portal, start_us=start_us, batches=SEGMENT, seed=seed)
            posts = []
            for place, batch in enumerate(world(segment)):
                due_us = int(batch.time_us[-1]) + place % portal.points * 500_000 / portal.points
                wait_s = (due_us - time.time() * SECOND) / SECOND
                soak.late += wait_s < -1.0
                time.sleep(max(0.0, wait_s))
                posts.append(senders.submit(_post, client, soak, content=native(segment, batch)))
                soak.sent += portal.batch
            for post in posts:
                post.result()
            seed += 1


def _post(client: httpx.Client, soak: Soak, *, content: bytes) -> None:
    """As a reader's program does: a request without an answer, or with 503, is sent again."""
    for wait_s in RETRIES_S:
        try:
            answer = client.post("/batches", content=content)
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            answer.raise_for_status()
            return
        soak.again += 1
        time.sleep(wait_s)
    raise TimeoutError(f"Expected the gateway to take a batch in {len(RETRIES_S)} attempts, got none.")


def native(portal: Portal, batch: Batch) -> bytes:
    """A batch as a program sends it."""
    units = sorted(set(batch.unit.tolist()))
    index = {unit: i for i, unit in enumerate(units)}
    t0_us = int(batch.time_us[0])
    return orjson.dumps(
        {
            "kind": "reads",
            "v": 1,
            "reader": f"reader-{batch.point}",
            "t0_us": t0_us,
            "tags": [portal.epc(unit) for unit in units],
            "tag": [index[unit] for unit in batch.unit.tolist()],
            "antenna": batch.antenna.tolist(),
            "last": (batch.time_us - t0_us).tolist(),
            "rssi": batch.rssi.tolist(),
        }
    )


def listen(consumer: Consumer, latencies_s: list[float], done: threading.Event) -> None:
    """From the gateway's stamp to a client that reads the movement."""
    while not done.is_set():
        for each in consumer.consume(500, 0.1):
            now_us = time.time() * SECOND
            moved = decode_movements(each.value())
            latencies_s.extend((now_us - m.recorded_us) / SECOND for m in moved if m.direction == Direction.UNKNOWN)
    consumer.close()


def measure(portal: Portal, *, minutes: float, every_s: float) -> Soak:
    """One run."""
    soak, latencies_s, done = Soak(), list[float](), threading.Event()
    with (
        tempfile.TemporaryDirectory(prefix="lotstream-soak-") as directory,
        running(Path(directory), portal) as env,
        ThreadPoolExecutor(2) as threads,
    ):
        processes = status(env)
        url = f"http://127.0.0.1:{env['LOTSTREAM_GATEWAY__PORT']}"
        broker = Broker(
            Settings(kafka=KafkaSettings(bootstrap=processes["kafka"][1]), topics=TopicSettings(partitions=4))
        )
        producer = broker.producer()
        for event in commissionings(portal):
            broker.send(producer, "events.v1", key=event.subject, value=event.encode())
        producer.flush()
        started = time.monotonic()
        until = started + minutes * 60
        threads.submit(listen, broker.follow("movements.v1"), latencies_s, done)
        sending = threads.submit(send, url, portal, soak, until=until)
        while (left_s := until - time.monotonic()) > 0 and not sending.done():
            time.sleep(min(every_s, left_s))
            try:
                sample = _sample(processes, latencies_s, at_s=time.monotonic() - started)
            except FileNotFoundError:
                soak.restarts += 1
                processes = status(env)
                continue
            soak.samples.append(sample)
            print(_shown(sample), file=sys.stderr, flush=True)
        done.set()
        sending.result()
    return soak


def _sample(processes: dict[str, tuple[int, str]], latencies_s: list[float], *, at_s: float) -> Sample:
    seen = {name: looked(pid) for name, (pid, _) in processes.items()}
    taken, latencies_s[:] = latencies_s[:], []
    return Sample(
        round(at_s, 1),
        {name: round(mb, 1) for name, (mb, _) in seen.items()},
        {name: count for name, (_, count) in seen.items()},
        percentile_ms(taken, 0.5),
        percentile_ms(taken, 0.99),
    )


def _shown(sample: Sample) -> str:
    memory = "  ".join(f"{name} {mb:.0f}" for name, mb in sample.rss_mb.items())
    return f"{sample.at_s:6.0f} s  p50 {sample.p50_ms} ms  p99 {sample.p99_ms} ms  MB: {memory}"


def report(soak: Soak, out: Path) -> list[str]:
    """Write what was seen; what is wrong."""
    faults = soak.faults()
    told = {
        "reads": soak.sent,
        "late_batches": soak.late,
        "sent_again": soak.again,
        "restarts": soak.restarts,
        "slope_mb_h": {name: round(soak.slope_mb_h(name), 2) for name in soak.samples[0].rss_mb},
        "descriptors_grown": {name: soak.descriptors_grown(name) for name in soak.samples[0].rss_mb},
        "p99_ratio": round(soak.latency_ratio(), 2),
        "faults": faults,
        "samples": soak.samples,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    return faults


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument(
        "--doors", type=int, default=12, help="each gives 1,000 reads a second; 12 is half of two cores"
    )
    parser.add_argument("--every", type=float, default=10.0, help="seconds between two looks")
    parser.add_argument("--out", type=Path, default=Path("build/soak.json"))
    given = parser.parse_args()
    soak = measure(Portal(points=given.doors), minutes=given.minutes, every_s=given.every)
    faults = report(soak, given.out)
    for fault in faults:
        print(fault)
    print(f"{soak.sent:,} reads, {soak.late} batches late; {given.out} is written.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
