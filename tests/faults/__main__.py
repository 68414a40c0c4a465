"""`make faults`: one stack, one named fault after the other; what the process did, what was lost, how long it healed.

Exit 1 when anything acknowledged was lost, counted twice or invented, when the stack did not heal, or when a process
did something else than it must.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from clickhouse_connect.driver.exceptions import ClickHouseError

from lotstream.cli.drain import drain
from lotstream.runtime.errors import Transient
from tests.faults import brokers, disks, gateways, history, poison, requests, starts, workers  # noqa: F401 - registered
from tests.faults.fault import FAULTS, Fault, Misbehaved, NotShown, Outcome
from tests.faults.feed import Account, Feed
from tests.faults.ground import Ground, mount
from tests.faults.page import page

HEAL_S = 60.0
APART = "LOTSTREAM_TEST_APART"


def play(ground: Ground, fault: Fault) -> Outcome:
    """One fault on the stack, until it has healed or the time for it is over."""
    account = ground.account = Account()
    feed = Feed(ground.url, fault.name, account)
    began, state, did = time.monotonic(), "", ""
    if fault.under_load:
        feed.start()
        time.sleep(0.5)
    try:
        did = fault.scenario(ground)
    except Misbehaved as wrong:
        state, did = "misbehaved", str(wrong)
    except NotShown as reason:
        state, did = "not shown", str(reason)
    undone = time.monotonic()
    if fault.under_load:
        time.sleep(0.5)
        feed.stop()
    unhealed = feed.failure or heal(ground, account)
    heal_s = time.monotonic() - undone
    found = answers(ground)
    owed = account.acknowledged - account.excused
    lost = len(owed - found.keys())
    double = sum(found.get(tag, 1) != 1 for tag in account.issued)
    if not state:
        state = "not healed" if unhealed else "lost" if lost + double else "healed"
    return Outcome(
        name=fault.name,
        did="; ".join(filter(None, [did, unhealed])),
        state=state,
        obligations=len(owed),
        lost=lost,
        double=double,
        refused=account.refused,
        took_s=round(time.monotonic() - began, 1),
        heal_s=round(heal_s, 1),
    )


def heal(ground: Ground, account: Account) -> str:
    """Return when every process is ready, a fresh read goes through, every stage has caught up and everything owed is
    in the history; what is not so when that takes too long, else ''."""
    until = time.monotonic() + HEAL_S
    try:
        ground.wait_ready()
        account.insist(ground.url, reader="fresh", within_s=HEAL_S)
        drain(ground.settings, within_s=HEAL_S)
    except (RuntimeError, TimeoutError, Transient) as reason:
        return f"{type(reason).__name__}: {str(reason)[:300]}"
    while True:
        reason = ""
        try:
            if not account.acknowledged - account.excused - ground.answered().keys():
                return ""
        except ClickHouseError as error:
            reason = f"history: {str(error)[:300]}"
        if time.monotonic() > until:
            return reason
        time.sleep(0.2)


def answers(ground: Ground) -> dict[str, int]:
    """What the history has, nothing when it does not answer."""
    try:
        return ground.answered()
    except ClickHouseError:
        return {}


def invented(ground: Ground, issued: set[str]) -> set[str]:
    """Tags in the history that nobody sent."""
    return answers(ground).keys() - issued


def show(outcome: Outcome) -> None:
    counts = f"{outcome.obligations:>5} {outcome.lost:>4} {outcome.double:>4} {outcome.refused:>4}"
    print(f"{outcome.name:<34} {outcome.state:<11} {counts} {outcome.heal_s:>6.1f}  {outcome.did[:200]}", flush=True)


def run(names: list[str], directory: Path, *, as_json: bool, report: Path | None) -> bool:
    chosen = [fault for fault in FAULTS if not names or fault.name in names or fault.family in names]
    mount(directory)
    outcomes: list[Outcome] = []
    issued: set[str] = set()
    began = time.monotonic()
    with Ground(directory, lambda said: None) as ground:
        if not as_json:
            print(f"{'fault':<34} {'state':<11} {'owed':>5} lost twice 503s   heal  what the process did", flush=True)
        for fault in chosen:
            outcomes.append(play(ground, fault))
            issued |= ground.account.issued
            if not as_json:
                show(outcomes[-1])
        strangers = len(invented(ground, issued))
    lost, double = sum(one.lost for one in outcomes), sum(one.double for one in outcomes)
    well = all(one.well for one in outcomes) and not strangers and bool(chosen)
    took_s = round(time.monotonic() - began, 1)
    if report is not None:
        told = page(outcomes, invented=strangers, took_s=took_s).replace(str(directory), "DIRECTORY")
        report.write_text(told, encoding="utf-8")
    if as_json:
        counts = {"lost": lost, "double": double, "invented": strangers, "seconds": took_s, "ok": well}
        print(json.dumps({"faults": [one.json() for one in outcomes], **counts}, indent=2))
    else:
        print(f"{len(outcomes)} faults in {took_s} s: {lost} lost, {double} twice, {strangers} invented.")
    return well


def apart() -> None:
    """Go on in a mount namespace of our own, where disks may be made small; where that is not allowed, without."""
    if APART in os.environ:
        return
    for flags in (["-m"], ["-Urm"]):
        probe = ["unshare", *flags, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        if shutil.which("unshare") and subprocess.run(probe, capture_output=True, check=False).returncode == 0:
            command = ["unshare", *flags, sys.executable, "-m", "tests.faults", *sys.argv[1:]]
            os.execvpe("unshare", command, {**os.environ, APART: "1"})


def main() -> int:
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a fault or a family; repeatable")
    parser.add_argument("--list", action="store_true", help="name them all")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--report", type=Path, help="write the table as a page, too")
    parser.add_argument("--keep", type=Path, help="leave logs in this directory")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(f"{fault.family:<10} {fault.name}" for fault in FAULTS))
        return 0
    apart()
    directory = arguments.keep or Path(tempfile.mkdtemp(prefix="lotstream-faults-"))
    try:
        return 0 if run(arguments.only, directory, as_json=arguments.json, report=arguments.report) else 1
    finally:
        for name in ("kafka", "clickhouse", "spool"):
            subprocess.run(["umount", str(directory / name)], capture_output=True, check=False)
        if arguments.keep is None:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
