"""`python -m bench.recall`: a million sightings of 2,000 lots on the embedded engine; how long each question takes.

Exits 1 when a view reads more of its table than the lot that was asked for. Times in milliseconds, warm; the engine's
own CPU beside the wall clock, which on a busy machine says little.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import clickhouse_connect

from lotstream.deploy.embedded.clickhouse import EmbeddedClickHouse, Role, User
from lotstream.recall import ask
from lotstream.recall.store import History
from lotstream.runtime.clickhouse import client_arguments
from lotstream.runtime.settings import ClickhouseSettings
from lotstream.sinks.migrate import migrate
from lotstream.sinks.store import ClickhouseStore

LOT = "01/10614141073464/10/L00777"
UNIT = "01/10614141073464/21/38850"
VIEWS = ("lot_facts", "unit_entries", "unit_places", "movements", "lot_quantities", "quantity_places", "lot_master")
SCHEMA = Path(__file__).parent / "recall.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One question."""

    what: str
    least_ms: float
    median_ms: float
    cpu_ms: float


def fill(store: ClickhouseStore, *, rows: int) -> float:
    """Ten sightings a unit, 50 units a lot; seconds that it took."""
    started = time.perf_counter()
    for statement in SCHEMA.read_text(encoding="utf-8").replace("${rows}", str(rows)).split(";\n"):
        if statement.strip():
            store.command(statement)
    return time.perf_counter() - started


def cpu_ms(pid: int) -> float:
    """CPU of a process and its threads so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def measured(what: str, question: Callable[[], object], *, pid: int, times: int) -> Timing:
    """The same question again and again, warm."""
    question()
    before, spent = cpu_ms(pid), []
    for _ in range(times):
        started = time.perf_counter()
        question()
        spent.append((time.perf_counter() - started) * 1000)
    cpu = (cpu_ms(pid) - before) / times
    return Timing(what=what, least_ms=min(spent), median_ms=statistics.median(spent), cpu_ms=cpu)


def granules(settings: ClickhouseSettings) -> dict[str, str]:
    """Of each view, asked for one lot, the granules of its tables that are read: 'read/all'."""
    client = clickhouse_connect.get_client(**client_arguments(settings, "reader"), database=settings.database)
    found = {}
    for view in VIEWS:
        asked = f"SELECT * FROM {view} WHERE lot_key = sipHash64('{LOT}') AND lot = '{LOT}'"
        plan = [row[0].strip() for row in client.query(f"EXPLAIN indexes = 1 {asked}").result_rows]
        found[view] = ", ".join(
            line.split()[-1] for line in plan if line.startswith("Granules:") and "/" in line.split()[-1]
        )
    client.close()
    return found


def server_pid(launcher: int) -> int:
    """The process that does the work: the launcher itself, or its child."""
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text(encoding="ascii").split()
    return int(children[0]) if children else launcher


def main() -> int:
    """Fill, ask, print; the exit code."""
    parser = argparse.ArgumentParser(prog="bench.recall", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        users = (User("w", "w", Role.WRITER), User("r", "r", Role.READER))
        with EmbeddedClickHouse(data, users=users, log_file=Path(folder) / "log") as server:
            settings = ClickhouseSettings.model_validate(
                {"url": server.url, "database": "bench", "user": "w", "password": "w", "reader_user": "r",
                 "reader_password": "r"}
            )  # fmt: skip
            migrate(settings)
            store = ClickhouseStore(settings.model_copy(update={"database": "bench"}))
            sys.stdout.write(f"{given.rows:,} rows in {fill(store, rows=given.rows):.1f} s\n")
            return report(settings, server_pid(server.pid), times=given.times)


def report(settings: ClickhouseSettings, pid: int, *, times: int) -> int:
    """Print what each view reads and how long each question takes; the exit code."""
    read = granules(settings)
    for view, found in read.items():
        sys.stdout.write(f"{view:<18} granules {found}\n")
    with History(settings) as history:
        questions: dict[str, Callable[[], object]] = {
            "affected, units": lambda: ask.affected(history, "L00777"),
            "affected, amounts": lambda: ask.affected(history, "W00777"),
            "where": lambda: ask.where(history, LOT),
            "history": lambda: ask.history_of(history, UNIT),
            "lots": lambda: ask.lots(history),
            "stock, one GTIN": lambda: ask.stock(history, gtin="10614141073464", limit=100),
        }
        for name in ("lots_named", "lot", "unit_groups", "amounts", "blind_windows", "locations"):
            questions[f"  {name}.sql"] = _query(history, name)
        for what, question in questions.items():
            timing = measured(what, question, pid=pid, times=times if what[0] != "s" else 3)
            sys.stdout.write(
                f"{timing.what:<20} least {timing.least_ms:7.1f}  median {timing.median_ms:7.1f}  "
                f"engine CPU {timing.cpu_ms:7.1f} ms\n"
            )
    whole = [view for view, found in read.items() if any(part == f"{n}/{n}" for part in found.split(", ")
             for n in [part.split("/")[0]] if int(n) > 8)]  # fmt: skip
    for view in whole:
        sys.stdout.write(f"{view}: Expected the lot's granules, got {read[view]}.\n")
    return 1 if whole else 0


def _query(history: History, name: str) -> Callable[[], object]:
    span = {"since": datetime(2025, 1, 1, tzinfo=UTC), "until": datetime(2026, 1, 1, tzinfo=UTC)}
    return lambda: history.ask(name, lot=LOT, code="L00777", gtin="", **span)


if __name__ == "__main__":
    sys.exit(main())
