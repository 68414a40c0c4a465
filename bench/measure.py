"""How costs are taken and told."""

import resource
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of build/bench.json. CPU is that of the stage's processes; latencies are None where none is measured."""

    workload: str
    stage: str
    reads_s_core: int
    us_per_read: float
    p50_ms: float | None
    p99_ms: float | None
    rss_mb: int
    equal: bool


def row(stage: str, *, reads: int, cpu_s: float, latencies_s: Sequence[float], rss_mb: int, equal: bool) -> Row:
    """A line of the portal workload."""
    return Row(
        workload="portal",
        stage=stage,
        reads_s_core=round(reads / cpu_s),
        us_per_read=round(cpu_s / reads * 1e6, 3),
        p50_ms=percentile_ms(latencies_s, 0.5),
        p99_ms=percentile_ms(latencies_s, 0.99),
        rss_mb=rss_mb,
        equal=equal,
    )


def percentile_ms(seconds: Sequence[float], share: float) -> float | None:
    """The value that a share of the latencies does not pass, in ms."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1_000, 2)


def own_rss_mb() -> int:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024


def write(rows: Sequence[Row], path: Path) -> None:
    """The rows as a JSON array, one object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = b",\n ".join(orjson.dumps(asdict(row)) for row in rows)
    path.write_bytes(b"[" + lines + b"]\n")


def shown(row: Row) -> str:
    """A row for people."""
    latency = "" if row.p50_ms is None else f"  p50 {row.p50_ms} ms  p99 {row.p99_ms} ms"
    verdict = "equal" if row.equal else "NOT EQUAL"
    return (
        f"{row.workload:8} {row.stage:9} {row.reads_s_core:>10,} reads/s/core {row.us_per_read:7.3f} us/read"
        f"{latency}  {row.rss_mb} MB  {verdict}"
    )
