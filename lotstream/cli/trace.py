"""`lotstream trace`: what was made from lots or a unit, or what went into them."""

from datetime import datetime
from pathlib import Path

import click

from lotstream.cli.ask import asked, gtin_option, history_of, when_options
from lotstream.cli.context import console, json_option, print_json
from lotstream.cli.trace_tree import show_trace
from lotstream.recall.trace_answer import Direction
from lotstream.recall.trace_ask import trace_of
from lotstream.recall.trace_picture import dot, svg


@click.command()
@click.argument("lots", metavar="LOT|EPC...", nargs=-1, required=True)
@click.option("--forward", "way", flag_value="forward", default=True, help="What was made from it (the default).")
@click.option("--back", "way", flag_value="back", help="What went into it.")
@click.option(
    "--depth", type=click.IntRange(min=0), help="Steps from process to process at most; all, where not given."
)
@click.option("--where", is_flag=True, help="Also where all of it is now.")
@gtin_option
@when_options
@click.option("--dot", "as_dot", is_flag=True, help="As a Graphviz graph.")
@click.option("--svg", "picture", type=click.Path(dir_okay=False, path_type=Path), help="Also draw it into this file.")
@json_option
@click.pass_context
@asked
def trace(
    context: click.Context,
    *,
    lots: tuple[str, ...],
    way: str,
    depth: int | None,
    where: bool,
    gtin: str,
    as_dot: bool,
    picture: Path | None,
    as_json: bool,
    **when: datetime | None,
) -> None:
    """What was made from lots or a unit, or what went into them, and who sent and received some.

    LOT is a lot code, ours or the supplier's, a lot key, an LGTIN, a Digital Link or a scanned label; EPC a unit or a
    container, with what was inside it.
    """
    answer = trace_of(history_of(context, **when), lots, direction=Direction(way), gtin=gtin, depth=depth, where=where)
    if picture is not None:
        picture.write_text(svg(answer), encoding="utf-8")
    if as_json:
        print_json(answer)
    elif as_dot:
        click.echo(dot(answer), nl=False)
    else:
        show_trace(answer, console())
