"""The table of a run as a page."""

from collections.abc import Sequence

from lotstream.runtime.pages import table
from tests.faults.fault import Outcome

_HEAD = """# Named faults

`make faults` brings one stack up, does one harm after the other to it, and holds every acknowledged read, event and
dead letter against what is there after the healing, in Kafka and in the tables of ClickHouse. `ARGS="--only NAME"`
plays one of them, or one family; `REPORT=docs/faults.md` writes this page.

*owed* is what had been acknowledged when all was healed; *503* counts requests that the gateway refused, which their
senders sent again; *heals* is the time from the end of the harm until everything owed had arrived, on a machine that
was shared with other work. What kills and freezes at random do is in [chaos.md](chaos.md).
"""


def page(outcomes: Sequence[Outcome], *, invented: int, took_s: float) -> str:
    """Markdown."""
    lost, double = sum(one.lost for one in outcomes), sum(one.double for one in outcomes)
    said = f"{len(outcomes)} faults in {took_s / 60:.0f} minutes: {lost} lost, {double} twice, {invented} invented.\n"
    head = ("fault", "state", "owed", "lost", "twice", "503", "heals, s", "what the processes did")
    rows = (
        (
            f"`{one.name}`",
            one.state,
            f"{one.obligations:,}",
            str(one.lost),
            str(one.double),
            str(one.refused),
            f"{one.heal_s:.1f}",
            " ".join(one.did.split()),
        )
        for one in outcomes
    )
    return "\n".join((_HEAD, said, table(head, rows)))
