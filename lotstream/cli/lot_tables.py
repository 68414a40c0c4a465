"""A lot's record and its holds, as people read them."""

from rich.console import Console

from lotstream.cli.tables import amount, hold_words, instant, lot_line, show, table, when_line
from lotstream.recall.answers import LotShown


@show.register
def _(answer: LotShown, out: Console) -> None:
    when_line(out, answer)
    lot = answer.lot
    lot_line(out, lot)
    facts = {
        "key": lot.lot,
        "supplier's code": lot.supplier_code,
        "site": lot.site,
        "line": lot.line,
        "produced": instant(lot.produced_at),
        "expires": str(lot.expires or ""),
        "best before": str(lot.best_before or ""),
        "planned": "" if lot.planned is None else amount(lot.planned, lot.planned_uom),
        "units": "" if lot.units is None else f"{lot.units:,}",
        "amount": "" if lot.amount is None else amount(lot.amount, lot.uom),
    }
    for name, value in facts.items():
        if value:
            out.print(f"  {name}: {value}", markup=False, soft_wrap=True)
    if lot.holds:
        holds = table("Holds in force", "hold", "for", "of it", "since", "by", "why")
        for held in lot.holds:
            holds.add_row(held.hold, held.purpose, hold_words(held.scope), instant(held.since), held.by, held.reason)
        out.print(holds)
    if answer.history:
        entries = table("History", "at", "what", "by", "why", "said")
        for entry in answer.history:
            words = ", ".join(f"{name} {value}" for name, value in entry.said.items())
            entries.add_row(instant(entry.at), entry.what, entry.by, entry.reason, words)
        out.print(entries)
    out.print(f"Answered in {answer.milliseconds:.1f} ms.")
