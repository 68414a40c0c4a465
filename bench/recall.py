"""`python -m bench.recall`: a world of so many movements in the product's own schema, and how fast a recall answers.

Times in milliseconds, warm, through the product's own code; beside them the engine's own CPU, which tells more on a
busy machine. Exits 1 when a plan reads more than what was asked for.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.recall_ask import CAPPED, measured, questions
from bench.recall_load import MOVEMENTS, Loaded, load, progress
from bench.recall_page import page
from bench.recall_plans import plans, too_many
from lotstream.deploy.embedded.clickhouse import EmbeddedClickHouse, Role, User
from lotstream.recall.store import History
from lotstream.runtime.settings import ClickhouseSettings
from lotstream.sinks.migrate import migrate

DATABASE = "bench"
LOADED = "loaded.json"


@contextmanager
def server(folder: Path) -> Iterator[tuple[EmbeddedClickHouse, ClickhouseSettings]]:
    """The engine over a folder, migrated."""
    users = (User("w", "w", Role.WRITER), User("r", "r", Role.READER))
    with EmbeddedClickHouse(folder / "data", users=users, log_file=folder / "log") as running:
        settings = ClickhouseSettings.model_validate(
            {"url": running.url, "database": DATABASE, "user": "w", "password": "w", "reader_user": "r",
             "reader_password": "r"}
        )  # fmt: skip
        migrate(settings)
        yield running, settings


def measure(folder: Path, *, movements: int, times: int) -> dict[str, object]:
    """Everything that the report tells."""
    with server(folder) as (running, settings):
        known = folder / LOADED
        if known.exists():
            loaded = Loaded(**json.loads(known.read_text(encoding="utf-8")))
            progress(f"found {loaded.movements:,} movements in {folder}")
        else:
            loaded = load(settings, movements=movements, say=progress)
            known.write_text(json.dumps(loaded.row()), encoding="utf-8")
        campaigns = loaded.movements // MOVEMENTS
        timings = []
        with History(settings) as history:
            for question in questions(history, campaigns=campaigns, folder=folder) if times else ():
                timing = measured(question, pid=running.pid, times=min(times, question.most))
                progress(timing.line())
                timings.append(timing.row())
            read = plans(history, campaigns=campaigns)
        for plan in read:
            progress(f"{plan.query:<20} granules {plan.words()}")
    return {"loaded": loaded.row(), "timings": timings, "plans": [plan.row() for plan in read], "capped": CAPPED}


def main() -> int:
    """Load, ask, print, write; the exit code."""
    parser = argparse.ArgumentParser(prog="bench.recall", description=__doc__)
    parser.add_argument("--movements", type=int, default=2_000_000)
    parser.add_argument("--times", type=int, default=40, help="how often each question is asked at most")
    parser.add_argument("--out", type=Path, default=Path("build/bench-recall.json"))
    parser.add_argument("--report", type=Path, help="also as a page in Markdown")
    parser.add_argument("--data", type=Path, help="load into this folder and keep it, or ask what it holds")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = given.data or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        found = measure(place, movements=given.movements, times=given.times)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    if given.report:
        given.report.write_text(page(found), encoding="utf-8")
    whole = too_many(found["plans"])
    for line in whole:
        progress(line)
    return 1 if whole else 0


if __name__ == "__main__":
    raise SystemExit(main())
