"""demo: the whole story on one machine, from reads to a recall answer that is held against the truth."""

import importlib
import os
import shutil
import signal
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click
from rich.console import Console

from lotstream.cli.addresses import show_addresses
from lotstream.cli.context import console, print_json, settings_of
from lotstream.cli.exits import EXIT_NO
from lotstream.cli.handover import hand_over
from lotstream.cli.stack import Stack
from lotstream.cli.teller import Teller
from lotstream.deploy.embedded.rundir import claim
from lotstream.runtime.settings import Settings

if TYPE_CHECKING:
    from lotstream.cli.story import Story


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
    teller = Teller(Console(stderr=True, highlight=False) if as_json else console())
    given = settings_of(context)
    settings = given.model_copy(update={"run_dir": given.run_dir / "demo", "data_dir": given.run_dir / "demo" / "data"})
    gone = _clean(settings.run_dir)
    release = hand_over(settings.run_dir / "up.log") if keep else None
    threading.Thread(target=shutil.rmtree, args=(gone,), kwargs={"ignore_errors": True}, daemon=True).start()
    with _stack(settings) as stack:
        story = _begun(stack, teller)(stack, teller, scale=scale, seed=seed, kill=kill)
        right = story.tell()
        if as_json:
            print_json({"kind": "demo", "v": 1, "right": right, "killed": story.killed, "seconds": dict(story.timings)})
        if release is not None:
            _show_more(story)
            release(0 if right else EXIT_NO)
            stack.watch(teller.say)
    if not right:
        context.exit(EXIT_NO)


def _stack(settings: Settings) -> Stack:
    site = settings.run_dir / "site.toml"
    gateway = settings.gateway.model_copy(update={"site_file": site, "port": 0})
    # a story is told faster than a day goes by: what is done every second or two is done more often
    stream = settings.stream.model_copy(update={"checkpoint_s": 0.5, "commit_s": 0.2})
    return Stack(settings.model_copy(update={"gateway": gateway, "stream": stream}))


def _begun(stack: Stack, teller: Teller) -> "type[Story]":
    """What tells the story: its modules are imported while the stores start."""
    with ThreadPoolExecutor(1) as pool:
        stores = pool.submit(stack.start_stores, teller.say)
        story: type[Story] = importlib.import_module("lotstream.cli.story").Story
        stores.result()
    return story


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _clean(run_dir: Path) -> Path:
    """A telling begins with nothing; a directory that another one still uses is refused. What was there before, with
    what an earlier telling had no time to remove, is where it says, to be removed while the story begins."""
    gone = run_dir.with_name(f"{run_dir.name}.gone")
    gone.mkdir(parents=True, exist_ok=True)
    if run_dir.exists():
        claim(run_dir, what="run directory of the demo").release()
        run_dir.rename(gone / uuid.uuid4().hex)
    run_dir.mkdir()
    return gone


def _show_more(story: "Story") -> None:
    code, out = story.world.tagged[0].code, story.out
    out.print("\nThe stack stays up. Ask more:")
    show_addresses(story.stack.settings)
    where = f"LOTSTREAM_RUN_DIR={os.path.relpath(story.stack.settings.run_dir)}"
    for question in (f"affected {code}", f"where {code}", "lots", "stock", "locations", "status", "down"):
        out.print(f"  {where} {Path(sys.argv[0]).name} {question}")
