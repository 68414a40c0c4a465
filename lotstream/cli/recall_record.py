"""`lotstream recall record`: the traceability test record of a mock recall."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from lotstream.cli.ask import asked, history_of
from lotstream.cli.context import console, json_option, print_json
from lotstream.cli.exits import Refused
from lotstream.recall.case_ask import find_case
from lotstream.recall.case_told import instant_of
from lotstream.recall.record import TestRecord, record_of
from lotstream.recall.record_page import as_html, as_text

RECORD_FORMATS: Mapping[str, Callable[[TestRecord], str]] = {
    ".txt": as_text,
    ".json": lambda record: record.model_dump_json(indent=2) + "\n",
    ".html": as_html,
}


def _record_path(_context: click.Context, _option: click.Parameter, path: Path | None) -> Path | None:
    if path is not None and path.suffix.lower() not in RECORD_FORMATS:
        raise click.BadParameter(f"Expected a file named {', '.join(RECORD_FORMATS)}, got {path.name!r}.")
    return path


record_option = click.option(
    "--record",
    "out",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_record_path,
    help="Write the record of a mock recall into this file: .txt, .json or .html.",
)


@click.command()
@click.argument("case")
@record_option
@json_option
@click.pass_context
@asked
def record(context: click.Context, case: str, *, out: Path | None, as_json: bool) -> None:
    """The traceability test record of a mock CASE; of a closed one by what was known when it was closed."""
    write_record(record_for(context, case), out, as_json=as_json)


def record_for(context: click.Context, name: str) -> TestRecord:
    """The record of a mock case. Raises Refused, CaseMissing, NotFound, ClickhouseAway."""
    now = datetime.now(UTC)
    with history_of(context) as history:
        case = find_case(history, name)
    if not case.mock:
        raise Refused(f"Expected a mock recall, got {name!r}, which is none: lotstream recall report.")
    closed = case.when("close")
    with history_of(context, known_at=None if closed is None else instant_of(closed)) as history:
        return record_of(history, case, now=now)


def write_record(found: TestRecord, out: Path | None, *, as_json: bool) -> None:
    """Into a file, or to standard output."""
    if out is not None:
        out.write_text(RECORD_FORMATS[out.suffix.lower()](found), encoding="utf-8")
        console().print(f"Written: {out}", markup=False)
    elif as_json:
        print_json(found)
    else:
        console().print(as_text(found), markup=False, soft_wrap=True)
