"""`lotstream sql`: an analyst's own query."""

import csv
import sys
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from lotstream.cli.ask import asked, history_of, when_options
from lotstream.cli.context import console, json_option, print_json
from lotstream.cli.tables import table
from lotstream.recall.sql import MOST_ROWS, QueryRefused, SqlAnswer, run_sql


def _parameters(_context: click.Context, _option: click.Parameter, texts: tuple[str, ...]) -> dict[str, str]:
    split = [text.partition("=") for text in texts]
    for name, equals, _ in split:
        if not (equals and name.isidentifier()):
            raise click.BadParameter(f"Expected NAME=VALUE, got {name + equals!r}.")
    return {name: value for name, _, value in split}


@click.command()
@click.argument("query", metavar="QUERY|FILE")
@click.option("--param", "parameters", multiple=True, callback=_parameters, metavar="NAME=VALUE",
              help="Value of {NAME:Type} in the query, bound by the server.")  # fmt: skip
@click.option("--limit", type=click.IntRange(1, MOST_ROWS), default=1000, show_default=True, help="Rows at most.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV.")
@when_options
@json_option
@click.pass_context
@asked
def sql(
    context: click.Context,
    *,
    query: str,
    parameters: dict[str, str],
    limit: int,
    as_csv: bool,
    as_json: bool,
    **when: datetime | None,
) -> None:
    """Ask the history by QUERY, or by the query in FILE (.sql), as the user that may only read.

    The views and what their columns mean: lotstream sql 'DESCRIBE TABLE unit_places'. --as-of is {as_of:DateTime64(6)}
    in the query.
    """
    text = Path(query).read_text(encoding="utf-8") if query.endswith(".sql") else query
    try:
        answer = run_sql(history_of(context, **when), text, parameters=parameters, limit=limit)
    except QueryRefused as refused:
        raise click.BadParameter(str(refused), param_hint="QUERY") from None
    if as_json:
        print_json(answer)
    elif as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(answer.columns)
        writer.writerows(answer.rows)
    else:
        _show(answer, console())


def _show(answer: SqlAnswer, out: Console) -> None:
    rows = table("", *answer.columns)
    for row in answer.rows:
        rows.add_row(*("" if value is None else str(value) for value in row))
    out.print(rows)
    more = "; there are more: raise --limit" if answer.truncated else ""
    out.print(f"{len(answer.rows):,} rows{more}. Answered in {answer.milliseconds:.1f} ms.")
