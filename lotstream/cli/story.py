"""The story that the demo tells: a world is played, the stack answers, and the answer is held against the truth."""

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lotstream.cli import tables
from lotstream.cli.drain import drain
from lotstream.cli.stack import Stack
from lotstream.cli.teller import Teller
from lotstream.cli.verdict import differences
from lotstream.readers.world.plan import Scale, World
from lotstream.readers.world.play import Played, Player
from lotstream.readers.world.site import site_file
from lotstream.recall import ask
from lotstream.recall.answers import Affected
from lotstream.recall.store import History

TEND_EVERY_S = 0.2
ASKED_AT_ONCE = 2
DRAIN_S = 120.0


class Story:
    """One telling over a stack whose stores are up: a world, and what came of it."""

    def __init__(self, stack: Stack, teller: Teller, *, scale: float, seed: int, kill: bool) -> None:
        self.stack = stack
        self.teller = teller
        self.out = teller.out
        self.world = World(Scale(lots=max(1, round(Scale().lots * scale))), seed=seed)
        self.kill = kill
        self.timings: dict[str, float] = {}
        self.killed = False

    def tell(self) -> bool:
        """Everything up to the verdict: whether the answer is the truth."""
        site = self.stack.settings.gateway.site_file
        assert site is not None
        site.write_text(site_file(), encoding="utf-8")
        self.stack.start_processes(self.teller.say)
        self.stack.await_ready("gateway")  # it takes reads; the stages come after
        self.timings["stack"] = self.teller.seconds
        with self._tended():
            played = self._play()
            with self._timed("drain"):
                drain(self.stack.settings, within_s=DRAIN_S)
        history = History(self.stack.settings.clickhouse)
        answers = self._answer(history)
        self._show_load(history, played)
        with self._timed("comparison"):
            wrong = self._compare(answers | self._ask_the_rest(history, answers))
        self._verdict(wrong)
        return not wrong

    def _play(self) -> Played:
        player = Player(f"http://127.0.0.1:{self.stack.settings.gateway.port}")
        bars = Progress(
            TextColumn("  {task.description:<18}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.out,
            refresh_per_second=4,
        )
        tasks = {}
        lock = threading.Lock()

        def progress(device: str, done: int, total: int) -> None:
            with lock:
                if device not in tasks:
                    tasks[device] = bars.add_task(device, total=max(total, done))
                bars.update(tasks[device], completed=done, total=max(total, done))
            if self.kill and not self.killed and player.played.reads > self._half:
                self.killed = True
                for worker in ("worker-door", "worker-lot"):
                    self.stack.kill(worker)
                self.teller.say("both workers are killed (-9) half-way")

        with self._timed("play"), bars:
            played = player.play(self.world, progress)
        for device, task in tasks.items():
            bars.update(task, completed=bars.tasks[task].total, description=device)
        return played

    @property
    def _half(self) -> int:
        scale = self.world.scale
        return scale.lots * scale.pallets * scale.items * scale.reads * 2

    @contextmanager
    def _tended(self) -> Iterator[None]:
        """Start anew what ends, as an installation's supervisor would."""
        stop = threading.Event()

        def tend() -> None:
            while not stop.wait(TEND_EVERY_S):
                for name in self.stack.tend():
                    self.teller.say(f"{name} is started anew")

        thread = threading.Thread(target=tend, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _answer(self, history: History) -> dict[str, Affected]:
        """A tagged lot and one by weight, each shown as soon as it is known."""
        answers = {}
        with self._timed("answer"):
            for lot in (self.world.tagged[0], self.world.weighed[0]):
                self.out.print(f"\n[bold]$ lotstream affected {lot.code}[/bold]")
                # they say how long they took, so they are asked alone
                answers[lot.key] = ask.affected(history, lot.key)
                tables.show(answers[lot.key], self.out)
        spent = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.timings.items())
        self.out.print(f"\nFrom the command to the answer {self.teller.seconds:.1f} s ({spent}).")
        return answers

    def _ask_the_rest(self, history: History, known: Mapping[str, Affected]) -> dict[str, Affected]:
        keys = [key for key in self.world.truth if key not in known]
        with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
            return dict(zip(keys, pool.map(lambda key: ask.affected(history, key), keys), strict=True))

    def _compare(self, answers: Mapping[str, Affected]) -> list[str]:
        truth = self.world.truth
        return [f"{key}: {line}" for key, true in truth.items() for line in differences(answers[key], true)]

    def _show_load(self, history: History, played: Played) -> None:
        totals = history.ask("totals")[0]
        seconds = self.timings["play"] + self.timings["drain"]
        self.out.print(
            f"{played.reads:,} reads and {played.events:,} events in {seconds:.1f} s: "
            f"{played.reads / seconds:,.0f} reads/s from the door to the tables; "
            f"{totals['reads']:,} tag reads became {totals['sightings']:,} sightings "
            f"({totals['reads'] / max(1, totals['sightings']):.1f} : 1). A request was durable after "
            f"{played.percentile(0.5):.0f} ms (half of them), {played.percentile(0.99):.0f} ms (99 %)."
        )

    def _verdict(self, wrong: list[str]) -> None:
        if wrong:
            self.out.print(f"[red]The answer is not the truth[/red] in {len(wrong)} places:")
            for line in wrong[:40]:
                self.out.print(f"  {line}", markup=False)
        else:
            self.out.print(
                f"[green]The answers equal the world's own truth[/green], for all of {len(self.world.truth)} lots, "
                f"{self.teller.seconds:.1f} s after the command."
            )

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.timings[name] = time.perf_counter() - started
