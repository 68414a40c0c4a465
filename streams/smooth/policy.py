"""What smoothing is told: silences, thresholds and waits. A frozen value; what it decides about is in state."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lotstream.schemas.base import SLOT_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The rule of one read point. Every limit is inclusive.

    A read joins a run up to ``silence_us`` after the read before it; one silence ends a glimpse and a loss. A visit
    is observed from ``observe_count`` reads, or once it lasts ``observe_duration_us`` (None: count alone).
    """

    silence_us: int = 2_000_000
    observe_count: int = 2
    observe_duration_us: int | None = None

    def __post_init__(self) -> None:
        # a silence longer than a slot would join runs of slots that are not neighbours
        if not 0 < self.silence_us <= SLOT_US:
            raise ValueError(f"Expected silence_us in 1..{SLOT_US}, got {self.silence_us!r}.")
        if self.observe_count < 1:
            raise ValueError(f"Expected observe_count >= 1, got {self.observe_count!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothPolicy:
    """All rules in force, and how long to wait.

    ``grace_us``: a run is closed ``silence_us + grace_us`` of its clock after its last read; the grace is for batches
    that wait at the gateway (50 ms) or in a reader's own report cycle (1 s), so that most closings happen once.
    ``remember_us``: reads join their slot up to so long after its end, later ones are late.
    ``source_idle_us``: a file or buffer that sends nothing for so long of log time has ended.
    """

    version: int = 1
    rule: Rule = field(default_factory=Rule)
    points: Mapping[str, Rule] = field(default_factory=dict)
    grace_us: int = 2_000_000
    remember_us: int = 120_000_000
    source_idle_us: int = 60_000_000

    def __post_init__(self) -> None:
        longest = max(rule.silence_us for rule in (self.rule, *self.points.values())) + self.grace_us
        if self.grace_us < 0 or self.remember_us < longest:
            got = f"{self.grace_us}, {self.remember_us}"
            raise ValueError(f"Expected 0 <= grace_us, remember_us >= {longest}, got {got}.")

    def at(self, read_point: str) -> Rule:
        """The rule of a read point: its own, or the general one."""
        return self.points.get(read_point, self.rule)
