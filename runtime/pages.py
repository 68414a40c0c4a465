"""Pages that are generated from tables of the code, so that nothing is typed twice."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def keep(page: Path, text: str, *, module: str, arguments: Sequence[str] | None = None) -> int:
    """The command line of a generator: writes `page`, or with `--check` compares it. Returns the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=f"Write {page.name}.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the page is stale")
    if not parser.parse_args(arguments).check:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
        return 0
    if page.is_file() and page.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"Expected a current {page.name}, got a stale or missing one: run `python -m {module}`.\n")
    return 1
