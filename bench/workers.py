"""Worker processes of the product, started by its own commands, and what they cost."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

READY_S = 60.0
STOP_S = 20.0
_TICKS = os.sysconf("SC_CLK_TCK")
GATEWAY = "gateway"
_CLI = (sys.executable, "-m", "lotstream.cli.main")


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds and resident MB of the workers so far."""

    cpu_s: Mapping[str, float]
    rss_mb: Mapping[str, int]

    def since(self, before: "Cost") -> dict[str, float]:
        """CPU seconds by worker since an earlier look."""
        return {name: cpu_s - before.cpu_s[name] for name, cpu_s in self.cpu_s.items()}


class Workers:
    """One process per stage, and one of the gateway when it is named, until the end of the block."""

    def __init__(self, stages: Sequence[str], *, env: Mapping[str, str], run_dir: Path) -> None:
        self._env = os.environ | env
        self._run_dir = run_dir
        self._stages = stages
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        subprocess.run([*_CLI, "topics", "apply"], env=self._env, check=True, stdout=subprocess.DEVNULL)
        for stage in self._stages:
            with (self._run_dir / f"{stage}.log").open("wb") as log:
                self._processes[stage] = subprocess.Popen(
                    [*_CLI, *((GATEWAY,) if stage == GATEWAY else ("worker", "--name", stage, stage))],
                    env=self._env | {"LOTSTREAM_STREAM__INSTANCE_ID": stage},
                    stdout=log,
                    stderr=log,
                )
        try:
            for stage in self._stages:
                self._wait_ready(stage)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def cost(self) -> Cost:
        """What each worker has taken so far."""
        pids = {name: process.pid for name, process in self._processes.items()}
        return Cost({n: _cpu_s(pid) for n, pid in pids.items()}, {n: _rss_mb(pid) for n, pid in pids.items()})

    def precise_cpu_s(self, name: str) -> float:
        """CPU seconds of all living threads of a worker so far, to the nanosecond instead of the clock tick."""
        tasks = Path(f"/proc/{self._processes[name].pid}/task").glob("*/schedstat")
        return sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9

    def _wait_ready(self, stage: str) -> None:
        give_up = time.monotonic() + READY_S
        published = self._run_dir / f"{stage}.json"
        while not (published.is_file() and _is_ready(orjson.loads(published.read_bytes())["url"])):
            if self._processes[stage].poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"Expected worker {stage} to be ready, got:\n{self._log(stage)}")
            time.sleep(0.1)

    def _log(self, stage: str) -> str:
        return (self._run_dir / f"{stage}.log").read_text(encoding="utf-8", errors="replace")[-2_000:]


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2.0) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _rss_mb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1_024
    return 0
