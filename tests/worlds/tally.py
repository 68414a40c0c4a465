"""What became of many worlds: how far, how fast, how many wrong, and how many contained what."""

import os
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

EVERY_S = 10.0
_PAGE = """# {worlds:,} worlds

Worlds made by chance from seed {seed}, each told to the stages in order and twice in disorder and held against the
oracle ([worlds](worlds.md)): **{wrong} of {worlds:,} came out wrong**, in {minutes:.0f} minutes on {cores} cores.

Again: `make worlds N={worlds} SEED={seed}`. {seeds}

| so many worlds | contained |
|---:|---|
{rows}
"""


class Tally:
    """Counts worlds in the order of their seeds."""

    def __init__(self, *, seed: int, wanted: int) -> None:
        self.seed = seed
        self.wanted = wanted
        self.worlds = 0
        self.wrong: list[int] = []
        self._features: Counter[str] = Counter()
        self._began = self._told = time.monotonic()

    def add(self, seed: int, *, wrong: bool, contained: Iterable[str]) -> None:
        """One more world."""
        self.worlds += 1
        self._features.update(contained)
        if wrong:
            self.wrong.append(seed)

    def progress(self) -> str:
        """A line now and then, '' in between."""
        now = time.monotonic()
        if now - self._told < EVERY_S:
            return ""
        self._told = now
        rate = self.worlds / (now - self._began)
        left = (self.wanted - self.worlds) / rate
        of = f"{self.worlds:,} of {self.wanted:,} worlds"
        return f"{of}, {rate:.1f}/s, {left / 60:.1f} min to go, {len(self.wrong)} wrong"

    def summary(self) -> dict[str, Any]:
        """The result as JSON has it."""
        return {
            "seed": self.seed,
            "worlds": self.worlds,
            "wrong": len(self.wrong),
            "seconds": round(time.monotonic() - self._began, 1),
            "features": dict(sorted(self._features.items())),
        }

    def page(self) -> str:
        """The result as a page of docs/."""
        said = self.summary()
        rows = "\n".join(f"| {count:,} | {name} |" for name, count in self._features.most_common())
        seeds = (
            f"Wrong: seeds {', '.join(map(str, self.wrong[:50]))}." if self.wrong else "Every world has its own seed."
        )
        cores = os.cpu_count()
        return _PAGE.format(**{**said, "minutes": said["seconds"] / 60, "cores": cores, "rows": rows, "seeds": seeds})
