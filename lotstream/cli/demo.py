"""demo: the whole story on one machine, from reads to a recall answer that is held against the truth."""

import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lotstream.cli import tables
from lotstream.cli.context import console, print_json, settings_of
from lotstream.cli.drain import drain
from lotstream.cli.exits import EXIT_NO
from lotstream.cli.handover import hand_over
from lotstream.cli.stack import Stack
from lotstream.cli.up import show_addresses, watch_over
from lotstream.cli.verdict import differences
from lotstream.deploy.embedded.rundir import claim
from lotstream.readers.world.plan import Scale, World
from lotstream.readers.world.play import Played, Player
from lotstream.readers.world.site import site_file
from lotstream.recall import ask
from lotstream.recall.answers import Affected
from lotstream.recall.store import History
from lotstream.runtime.settings import Settings

TEND_EVERY_S = 0.2
ASKED_AT_ONCE = 2
DRAIN_S = 120.0


class Story:
    """One telling: a stack, a world, and what came of it."""

    def __init__(self, settings: Settings, out: Console, *, scale: Scale, seed: int, kill: bool) -> None:
        self.out = out
        self.world = World(scale, seed=seed)
        self.kill = kill
        self.started = time.perf_counter()
        self.timings: dict[str, float] = {}
        site = settings.run_dir / "site.toml"
        site.write_text(site_file(), encoding="utf-8")
        gateway = settings.gateway.model_copy(update={"site_file": site, "port": 0})
        # a story is told faster than a day goes by: what is done every second or two is done more often
        stream = settings.stream.model_copy(update={"checkpoint_s": 0.5, "commit_s": 0.2})
        sink = settings.sink.model_copy(update={"batch_ms": 200})
        self.stack = Stack(settings.model_copy(update={"gateway": gateway, "stream": stream, "sink": sink}))
        self.killed = False

    def tell(self) -> bool:
        """Everything up to the verdict: whether the answer is the truth."""
        with self._timed("stack"):
            self.stack.start(lambda text: self.out.print(f"[dim]{self._clock()}[/dim] {text}"))
            self.stack.await_ready("gateway")  # it takes reads; the stages come after
        with self._tended():
            played = self._play()
            with self._timed("drain"):
                drain(self.stack.settings, within_s=DRAIN_S)
        history = History(self.stack.settings.clickhouse)
        answers = self._ask(history)
        self._show(history, answers, played)
        wrong = [f"{key}: {line}" for key, true in self.world.truth.items() for line in differences(answers[key], true)]
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
                self.out.print(f"[dim]{self._clock()}[/dim] both workers are killed (-9) half-way")

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
                    self.out.print(f"[dim]{self._clock()}[/dim] {name} is started anew")

        thread = threading.Thread(target=tend, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _ask(self, history: History) -> dict[str, Affected]:
        # those that are shown say how long they took, so they are asked alone
        answers = {key: ask.affected(history, key) for key in self._shown}
        rest = [key for key in self.world.truth if key not in answers]
        with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
            return answers | dict(zip(rest, pool.map(lambda key: ask.affected(history, key), rest), strict=True))

    @property
    def _shown(self) -> Mapping[str, str]:
        """A tagged lot and one by weight: the code of each key."""
        return {lot.key: lot.code for lot in (self.world.tagged[0], self.world.weighed[0])}

    def _show(self, history: History, answers: dict[str, Affected], played: Played) -> None:
        for key, code in self._shown.items():
            self.out.print(f"\n[bold]$ lotstream affected {code}[/bold]")
            tables.show(answers[key], self.out)
        totals = history.ask("totals")[0]
        seconds = self.timings["play"] + self.timings["drain"]
        self.out.print(
            f"\n{played.reads:,} reads and {played.events:,} events in {seconds:.1f} s: "
            f"{played.reads / seconds:,.0f} reads/s from the door to the tables; "
            f"{totals['reads']:,} tag reads became {totals['sightings']:,} sightings "
            f"({totals['reads'] / max(1, totals['sightings']):.1f} : 1). A request was durable after "
            f"{played.percentile(0.5):.0f} ms (half of them), {played.percentile(0.99):.0f} ms (99 %)."
        )

    def _verdict(self, wrong: list[str]) -> None:
        spent = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.timings.items())
        if wrong:
            self.out.print(f"[red]The answer is not the truth[/red] in {len(wrong)} places:")
            for line in wrong[:40]:
                self.out.print(f"  {line}", markup=False)
        else:
            lots = len(self.world.truth)
            self.out.print(f"[green]The answers equal the world's own truth[/green], for all of {lots} lots.")
        self.out.print(f"From the command to the answer {self._clock().strip()} ({spent}).")

    def _clock(self) -> str:
        return f"{time.perf_counter() - self.started:5.1f} s"

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.timings[name] = time.perf_counter() - started


@click.command()
@click.option("--keep", is_flag=True, help="Leave the stack up, to ask more.")
@click.option("--kill", is_flag=True, help="Kill the workers (-9) half-way: the answer must not change.")
@click.option("--scale", default=1.0, show_default=True, help="How much of the world: lots of tagged items times this.")
@click.option("--seed", default=1, show_default=True, help="Which world.")
@click.option("--json", "as_json", is_flag=True, help="For programs: timings and verdict as JSON, the story on stderr.")
@click.pass_context
def demo(context: click.Context, keep: bool, kill: bool, scale: float, seed: int, as_json: bool) -> None:
    """The whole story: a plant, a distribution centre, three stores, and a recall answer held against the truth."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    out = Console(stderr=True, highlight=False) if as_json else console()
    given = settings_of(context)
    settings = given.model_copy(update={"run_dir": given.run_dir / "demo", "data_dir": given.run_dir / "demo" / "data"})
    _clean(settings.run_dir)
    lots = max(1, round(Scale().lots * scale))
    story = Story(settings, out, scale=Scale(lots=lots), seed=seed, kill=kill)
    release = hand_over(settings.run_dir / "up.log") if keep else None
    with story.stack:
        right = story.tell()
        if as_json:
            print_json({"kind": "demo", "v": 1, "right": right, "killed": story.killed, "seconds": dict(story.timings)})
        if release is not None:
            _show_more(story, out)
            release(0 if right else EXIT_NO)
            watch_over(story.stack)
    if not right:
        context.exit(EXIT_NO)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _clean(run_dir: Path) -> None:
    """A telling begins with nothing; a directory that another one still uses is refused."""
    if run_dir.exists():
        claim(run_dir, what="run directory of the demo").release()
        shutil.rmtree(run_dir)
    run_dir.mkdir(parents=True)


def _show_more(story: Story, out: Console) -> None:
    code = story.world.tagged[0].code
    out.print("\nThe stack stays up. Ask more:")
    show_addresses(story.stack.settings)
    where = f"LOTSTREAM_RUN_DIR={os.path.relpath(story.stack.settings.run_dir)}"
    for question in (f"affected {code}", f"where {code}", "lots", "stock", "locations", "status", "down"):
        out.print(f"  {where} {Path(sys.argv[0]).name} {question}")
