"""Recall cases, as people read them."""

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console

from lotstream.cli.tables import amount, instant, show, table, when_line
from lotstream.recall.case_answers import CaseLine, Cases, CaseStatus, LotInScope, ScopeChange, ScopeClause, Size
from lotstream.recall.clauses import clock, ranges
from lotstream.schemas.identifiers import split_lot_key

SHOWN = 50
SOME = 8  # lots in one line


@show.register
def _(answer: Cases, out: Console) -> None:
    when_line(out, answer)
    rows = table("Recall cases", "case", "kind", "state", "scope", "opened", "clock", "title", right=("scope",))
    for case in answer.cases:
        version = f"v{case.scope_version}" if case.scope_version else "none"
        opened, ran = instant(case.opened_at), clock(case.elapsed_s)
        rows.add_row(case.case, _kind(case), case.state, version, opened, ran, case.title)
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
        clause_table(f"Scope v{case.scope_version}", answer.clauses, out)
    if answer.holds:
        out.print(f"Holds in force: {len(answer.holds):,}")
    if answer.not_held:
        some = ", ".join([*answer.not_held[:SOME], *(["..."] if len(answer.not_held) > SOME else [])])
        out.print(f"In scope and not yet held, {len(answer.not_held):,} lots: {some}", markup=False, soft_wrap=True)
    if answer.holds_wanted:
        hint = f"Hold what the scope has now: lotstream recall initiate {case.case} --reason ..."
        out.print(f"Holds that are not yet as the scope asks for: {answer.holds_wanted:,}.", markup=False)
        out.print(hint, markup=False, soft_wrap=True)
    if answer.trouble:
        out.print(f"What the scope is cannot be told: {answer.trouble}", markup=False, soft_wrap=True)
    trail = table("Trail", "at", "step", "by", "why", "")
    for entry in answer.trail:
        made = f"scope v{entry.version}" if entry.version else ""
        trail.add_row(instant(entry.at), entry.step, entry.by, entry.reason, entry.refused or made)
    out.print(trail)
    out.print(f"Answered in {answer.milliseconds:.1f} ms.")


def _kind(case: CaseLine) -> str:
    return ("mock " if case.mock else "") + case.recall.replace("_", " ")


@show.register
def _(answer: ScopeChange, out: Console) -> None:
    when_line(out, answer)
    version = f"scope v{answer.version}" if answer.version else "without a scope"
    out.print(f"Case {answer.case}: {answer.state}, {version}", markup=False)
    if answer.clauses:
        clause_table("Clauses", answer.clauses, out)
    changed = bool(answer.added or answer.removed)
    numbers = {one.words: f"{one.number}" for one in answer.clauses}
    numbers |= {f"without {words}": f"without {number}" for words, number in numbers.items()}
    if changed:
        out.print(f"  before: {_size(answer.before)}", markup=False)
        out.print(f"  after:  {_size(answer.after)}", markup=False)
        _lots("Added", answer.added, numbers, out=out)
        _lots("Taken away", answer.removed, numbers, out=out)
    else:
        out.print(f"  {_size(answer.after)}", markup=False)
        _lots("Lots", answer.lots, numbers, out=out)
    if answer.containers:
        out.print(f"Logistic units: {', '.join(answer.containers)}", markup=False, soft_wrap=True)
    if answer.holds_placed or answer.holds_released:
        out.print(f"Holds placed: {answer.holds_placed:,}, released: {answer.holds_released:,}")
    if changed and not answer.recorded:
        out.print("Only tried: nothing was decided.")
    out.print(f"Answered in {answer.milliseconds:.1f} ms.")


def clause_table(title: str, clauses: Iterable[ScopeClause], out: Console) -> None:
    """Clauses with their numbers."""
    rows = table(title, "number", "", "clause", right=("number",))
    for one in clauses:
        rows.add_row(str(one.number), "without" if one.excluded else "with", one.words)
    out.print(rows)


def _lots(title: str, lots: Sequence[LotInScope], numbers: Mapping[str, str], *, out: Console) -> None:
    if not lots:
        return
    rows = table(title, "GTIN", "lot", "product", "of it", "items", "amount", "by clause", right=("items", "amount"))
    for lot in lots[:SHOWN]:
        part = ", ".join(filter(None, (ranges(lot.serials), *lot.units[:5]))) if not lot.whole else "all of it"
        amounts = ", ".join(amount(value, uom) for uom, value in lot.amounts.items())
        because = ", ".join(numbers.get(words, words) for words in lot.because)
        items = f"{lot.items:,}" if lot.items else ""
        gtin, code = split_lot_key(lot.lot)
        rows.add_row(gtin, code, lot.description, part, items, amounts, because)
    out.print(rows)
    if len(lots) > SHOWN:
        out.print(f"and {len(lots) - SHOWN:,} more: --json has all.")


def _size(size: Size) -> str:
    parts = [f"lots {size.lots:,}", f"items {size.items:,}"]
    parts += [amount(value, uom) for uom, value in size.amounts.items()]
    return ", ".join(parts + ([f"logistic units {size.containers:,}"] if size.containers else []))
