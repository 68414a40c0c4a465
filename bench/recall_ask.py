"""The questions of a recall, asked through the product's own code of one lot after the other, and timed."""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from lotstream.recall import ask
from lotstream.recall.fsma_ask import fsma
from lotstream.recall.fsma_sheet import write_sheet
from lotstream.recall.report.ask import report_of
from lotstream.recall.report.files import write_xlsx
from lotstream.recall.report.sheets import sheets
from lotstream.recall.scope import ScopedLot
from lotstream.recall.store import History
from lotstream.recall.trace_answer import Direction, Trace
from lotstream.recall.trace_ask import trace_of

FINISHED, RAW, UNIT = "01/10614141073464/10/F", "01/90614141000411/10/R", "01/10614141073464/21/"
CAPPED = 50  # campaigns that questions go over: warm is what was asked lately


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Asked with a number, that of a campaign; ``aim_ms`` is the aim at 200 million movements."""

    what: str
    aim_ms: float
    ask: Callable[[int], object]
    most: int = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How long a question took, and how much of the engine's own CPU it was."""

    what: str
    aim_ms: float
    times: int
    p50_ms: float
    p95_ms: float
    engine_cpu_ms: float
    client_cpu_ms: float

    def line(self) -> str:
        """For a terminal."""
        return (
            f"{self.what:<58} p50 {self.p50_ms:9.1f}  p95 {self.p95_ms:9.1f}  aim {self.aim_ms:6.0f}  "
            f"CPU engine {self.engine_cpu_ms:8.1f}  client {self.client_cpu_ms:7.1f} ms"
        )

    def row(self) -> dict[str, object]:
        return asdict(self)


def questions(history: History, *, campaigns: int, folder: Path) -> Iterator[Question]:
    """Those that an analyst has, in the order of a recall."""

    def finished(number: int, place: int = 77) -> str:
        return f"{FINISHED}{number % min(campaigns, CAPPED) * 150 + place:07}"

    def raw(number: int) -> str:  # 28 lots in four levels below it, 150 finished lots on the fifth
        return f"{RAW}{number % min(campaigns, CAPPED) * 30 + 1:07}"

    def unit(number: int) -> str:
        return f"{UNIT}{number % min(campaigns, CAPPED) * 45_000 + 23_101}"

    def forward(number: int) -> Trace:
        return trace_of(history, [raw(number)], direction=Direction.FORWARD, depth=5)

    def forward_where(number: int) -> Trace:
        return trace_of(history, [raw(number)], direction=Direction.FORWARD, depth=5, where=True)

    def report(number: int) -> None:
        scoped = [ScopedLot(node.name, None, ("made from it",)) for node in forward(number).nodes]
        told = report_of(history, scoped)
        write_xlsx(sheets(told), folder / "report.xlsx")

    def sheet(number: int) -> None:
        write_sheet(fsma(history, [finished(number, place) for place in range(50)]), folder / "fsma.xlsx")

    yield Question(what="where is lot (300 units)", aim_ms=10, ask=lambda n: ask.where(history, finished(n)))
    yield Question(what="who received lot, and all the rest of `affected`", aim_ms=10,
                   ask=lambda n: ask.affected(history, finished(n)))  # fmt: skip
    yield Question(
        what="the same of a class-level lot (2,400 facts)", aim_ms=10, ask=lambda n: ask.affected(history, raw(n))
    )
    yield Question(what="history of one unit", aim_ms=20, ask=lambda n: ask.history_of(history, unit(n)))
    yield Question(what="five levels forward from a raw lot, customers", aim_ms=100, ask=forward)
    yield Question(what="the same, and where all 179 lots are now", aim_ms=100, ask=forward_where)
    yield Question(what="back from a finished lot to the raw one", aim_ms=100,
                   ask=lambda n: trace_of(history, [finished(n)], direction=Direction.BACK))  # fmt: skip
    yield Question(what="full report of such a recall to XLSX", aim_ms=5000, ask=report, most=3)
    yield Question(what="FSMA spreadsheet of 50 lots to XLSX", aim_ms=2000, ask=sheet, most=3)


def measured(question: Question, *, pid: int, times: int) -> Timing:
    """The same question of one lot after the other, each asked once before; of what takes long, one is."""
    for number in range(1 if question.most < CAPPED else min(times, CAPPED)):
        question.ask(number)
    before, mine, spent = cpu_ms(pid), time.process_time(), []
    for number in range(times):
        started = time.perf_counter()
        question.ask(number)
        spent.append((time.perf_counter() - started) * 1000)
    return Timing(
        what=question.what,
        aim_ms=question.aim_ms,
        times=times,
        p50_ms=round(statistics.median(spent), 1),
        p95_ms=round(sorted(spent)[min(times - 1, int(times * 0.95))], 1),
        engine_cpu_ms=round((cpu_ms(pid) - before) / times, 1),
        client_cpu_ms=round((time.process_time() - mine) * 1000 / times, 1),
    )


def cpu_ms(pid: int) -> float:
    """CPU so far of a process and the one that it started to do the work."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return sum(_cpu_ms(one) for one in (pid, *map(int, children)))


def _cpu_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")
