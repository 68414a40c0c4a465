"""Recall cases, as people read them."""

from datetime import timedelta

from rich.console import Console

from lotstream.cli.tables import instant, show, table, when_line
from lotstream.recall.case_answers import CaseLine, Cases, CaseStatus


@show.register
def _(answer: Cases, out: Console) -> None:
    when_line(out, answer)
    rows = table("Recall cases", "case", "kind", "state", "scope", "opened", "clock", "title", right=("scope",))
    for case in answer.cases:
        version = f"v{case.scope_version}" if case.scope_version else "none"
        rows.add_row(
            case.case, _kind(case), case.state, version, instant(case.opened_at), clock(case.elapsed_s), case.title
        )
    out.print(rows if answer.cases else "No case was ever opened: lotstream recall open.")


@show.register
def _(answer: CaseStatus, out: Console) -> None:
    when_line(out, answer)
    case = answer.case
    out.print(f"Case {case.case}, {_kind(case)}: {case.state}, {clock(case.elapsed_s)} on its clock", markup=False)
    for name, value in {"title": case.title, "team": ", ".join(answer.team)}.items():
        if value:
            out.print(f"  {name}: {value}", markup=False, soft_wrap=True)
    stages = table("Life", "step", "at", "after")
    for stage in answer.stages:
        stages.add_row(stage.step, instant(stage.at), clock(stage.elapsed_s))
    out.print(stages)
    if answer.clauses:
        clauses = table(f"Scope v{case.scope_version}", "number", "", "clause", right=("number",))
        for one in answer.clauses:
            clauses.add_row(str(one.number), "without" if one.excluded else "with", one.words)
        out.print(clauses)
    if answer.holds:
        out.print(f"Holds in force: {len(answer.holds):,}")
    if answer.holds_wanted:
        out.print(f"Holds that the scope asks for and that are not as it says: {answer.holds_wanted:,}.")
    trail = table("Trail", "at", "step", "by", "why", "")
    for entry in answer.trail:
        made = f"scope v{entry.version}" if entry.version else ""
        trail.add_row(instant(entry.at), entry.step, entry.by, entry.reason, entry.refused or made)
    out.print(trail)
    out.print(f"Answered in {answer.milliseconds:.1f} ms.")


def clock(seconds: float) -> str:
    """'1:02:03'."""
    return str(timedelta(seconds=int(seconds)))


def _kind(case: CaseLine) -> str:
    return ("mock " if case.mock else "") + case.recall.replace("_", " ")
