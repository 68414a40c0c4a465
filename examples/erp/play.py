"""A world without a single tag, told by the files of an ERP: imported, asked, and held against expected.json.

Uses the program by its commands alone, as you would. `make example-erp` runs it; exit 1 when an answer differs.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
LOTSTREAM = [sys.executable, "-m", "lotstream.cli.main"]
# the order of a year's end: what was late in the world is late here too
FILES = (
    ("receipts.csv", "receipts"),
    ("production.csv", "consumption"),
    ("production.csv", "production"),
    ("shipments.csv", "shipments"),
    ("counts.csv", "counts"),
    ("returns.csv", "returns"),
)
SETTLED_S = 60.0

Answer = dict[str, Any]


def say(text: str) -> None:
    """A line for people."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run(*words: str, env: dict[str, str]) -> str:
    """What a command printed; its complaint and our end when it fails."""
    done = subprocess.run([*LOTSTREAM, *words], cwd=HERE, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"lotstream {' '.join(words)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def differences(expected: Any, got: Any, where: str = "") -> list[str]:
    """What is expected and not so. Of an object only what is expected counts; a list is compared whole."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return [
            line for name, value in expected.items() for line in differences(value, got.get(name), f"{where}.{name}")
        ]
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        pairs = enumerate(zip(expected, got, strict=True))
        return [line for index, (one, other) in pairs for line in differences(one, other, f"{where}.{index}")]
    same = expected == got or (_number(expected) is not None and _number(expected) == _number(got))
    return [] if same else [f"{where[1:]}: Expected {json.dumps(expected)}, got {json.dumps(got)}."]


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def ask(question: str, lot: str, env: dict[str, str]) -> Answer:
    """The answer to a question, {} while the lot is not known."""
    done = subprocess.run(
        [*LOTSTREAM, question, lot, "--json"], cwd=HERE, env=env, capture_output=True, text=True, check=False
    )
    found: Answer = json.loads(done.stdout) if done.stdout else {}
    return found


def traced(lot: str, env: dict[str, str]) -> Answer:
    """What was made of a lot, and who received any of it."""
    found = ask("trace", lot, env)
    sent = [one for one in found.get("deliveries", ()) if one["biz_step"] == "shipping"]
    lots = sorted(node["name"] for node in found.get("nodes", ()))
    return {"lots": lots, "receivers": sorted({one["receiver"] for one in sent})}


def wrong(expected: dict[str, dict[str, Answer]], env: dict[str, str]) -> list[str]:
    """Every difference between what is expected of the lots and what is answered."""
    found = {lot: differences(one, ask("affected", lot, env)) for lot, one in expected["affected"].items()}
    found |= {f"trace {lot}": differences(one, traced(lot, env)) for lot, one in expected["trace"].items()}
    return [f"{lot} {line}" for lot, lines in found.items() for line in lines]


def told(env: dict[str, str]) -> bool:
    """The whole story over a stack that is up: whether the answers are as expected."""
    for _ in range(2):  # the second time changes nothing
        for file, kind in FILES:
            say(run("import", file, "--as", kind, "--map", "map.toml", env=env).splitlines()[-1])
    expected = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
    until = time.monotonic() + SETTLED_S
    while (found := wrong(expected, env)) and time.monotonic() < until:
        time.sleep(1.0)
    for question, lots in expected.items():
        for lot in lots:
            say(f"\n$ lotstream {question} {lot}\n{run(question, lot, env=env)}")
    say(run("import", "--list", env=env))
    say("\n".join(found) if found else f"The answers are as expected, for all of {len(expected['affected'])} lots.")
    return not found


def main() -> int:
    """Start a stack of its own, tell the story, end the stack; nothing is left behind."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="lotstream-erp-") as folder:
        env = {name: value for name, value in os.environ.items() if not name.startswith("LOTSTREAM_")} | {
            "COLUMNS": "120",
            "LOTSTREAM_RUN_DIR": f"{folder}/run",
            "LOTSTREAM_DATA_DIR": f"{folder}/data",
            "LOTSTREAM_GATEWAY__PORT": "0",
            "LOTSTREAM_GATEWAY__SITE_FILE": str(HERE / "site.toml"),
        }
        try:
            run("up", env=env)
            right = told(env)
        finally:
            run("down", env=env)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
