"""documents: what is on an order, a note, an invoice, and which documents belong to it."""

from datetime import datetime

import click
from rich.console import Console

from lotstream.cli.ask import asked, history_of, print_answer, when_options
from lotstream.cli.context import json_option
from lotstream.cli.tables import amount, instant, show, table, when_line
from lotstream.recall.answers import Document, Documents
from lotstream.recall.documents import documents as documents_of

_TYPE = {
    "bol": "bill of lading",
    "desadv": "delivery note",
    "inv": "invoice",
    "po": "order",
    "poc": "order confirmation",
    "prodorder": "production order",
    "recadv": "receiving advice",
    "rma": "return authorisation",
}  # CBV 2.0 section 7.3, in the words of an office


@click.command()
@click.argument("number")
@click.option("--limit", default=1000, show_default=True, help="Lines at most.")
@when_options
@json_option
@click.pass_context
@asked
def documents(context: click.Context, number: str, *, limit: int, as_json: bool, **when: datetime | None) -> None:
    """What is on the documents of NUMBER, line by line, and which documents are linked to them.

    NUMBER is a number as people know it, or a whole name like desadv:4711.
    """
    print_answer(documents_of(history_of(context, **when), number, limit=limit), as_json)


@show.register
def _(answer: Documents, out: Console) -> None:
    when_line(out, answer)
    for document in answer.documents:
        _show(document, out)
    more = "; there are more lines: raise --limit" if answer.truncated else ""
    out.print(f"{len(answer.documents):,} documents{more}. Answered in {answer.milliseconds:.1f} ms.")


def _show(document: Document, out: Console) -> None:
    words = [f"{_TYPE.get(document.type, document.type)} {document.number}", instant(document.at)]
    words += [f"{name} {party}" for name, party in (("from", document.from_party), ("to", document.to_party)) if party]
    words += ["cancelled"] if document.cancelled else []
    out.print(", ".join(filter(None, words)), markup=False, style="bold", soft_wrap=True)
    if document.lines:
        lines = table("", "line", "what", "goods", "amount", "from", "to", "at", right=("amount",))
        for line in document.lines:
            goods = line.lot or f"{len(line.units):,} units"
            much = "" if line.amount is None else amount(line.amount, line.uom or "H87")
            lines.add_row(
                line.line,
                line.biz_step.replace("_", " ") or "written",
                goods,
                much,
                line.from_location or line.from_party,
                line.to_location or line.to_party,
                instant(line.at),
            )
        out.print(lines)
    for link in document.linked:
        way = "named by one event" if link.via == "event" else "by reference"
        behind = "" if link.steps == 1 else f", by {link.before}"
        out.print(f"  linked: {link.document} ({way}{behind})", markup=False, soft_wrap=True)
