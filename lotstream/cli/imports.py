"""import: spreadsheets of an ERP as events, through the gateway's ordinary door."""

import hashlib
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from rich.console import Console

from lotstream.cli.addresses import gateway_url
from lotstream.cli.context import console, json_option, print_json, settings_of
from lotstream.cli.dlq_options import by_option
from lotstream.cli.exits import EXIT_NO, Refused
from lotstream.cli.imports_answers import Imported, answer_of, show, show_list
from lotstream.cli.imports_known import LINES, Plan, await_history, known_lines, plan_of
from lotstream.cli.replay import send
from lotstream.readers.imports.check import Checked, check
from lotstream.readers.imports.code_tables import load_map
from lotstream.readers.imports.faults import TableInvalid
from lotstream.readers.imports.kinds import Kind
from lotstream.readers.imports.ledger import ImportResult, imports, operation
from lotstream.readers.imports.template import template_csv, write_xlsx
from lotstream.readers.post import Post
from lotstream.readers.replay import Format, Replay
from lotstream.recall.store import History
from lotstream.runtime.sections import read_secret
from lotstream.runtime.settings import Settings

KINDS = click.Choice([str(kind) for kind in Kind])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What is to be done with one file."""

    file: Path
    what: Kind
    map_name: str
    only_check: bool
    proceed: bool
    complete: bool
    url: str
    token: str
    by: str


@click.command("import")
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--as", "what", type=KINDS, help="What the rows are.")
@click.option("--map", "map_name", default="plain", show_default=True, help="Map: a TOML file, or one that is shipped.")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 when a row is wrong.")
@click.option("--proceed", is_flag=True, help="Send what is right, though rows are wrong.")
@click.option("--complete", is_flag=True, help="The file is the whole of its documents: lines it lacks did not occur.")
@click.option("--url", default="", help="Gateway; without it the one of this machine, else that of the settings.")
@click.option("--token-file", type=click.Path(path_type=Path, exists=True), help="File with the token of the source.")
@by_option
@click.option("--list", "only_list", is_flag=True, help="What was imported, by whom and when.")
@click.option("--template", type=KINDS, help="Write a form to fill in for map `plain`, and nothing else.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Of a form: FILE.csv or FILE.xlsx.")
@json_option
@click.pass_context
def import_command(
    context: click.Context,
    /,
    *,
    file: Path | None,
    what: str | None,
    token_file: Path | None,
    only_list: bool,
    template: str | None,
    out: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Bring FILE (CSV or XLSX) in as events: receipts, shipments, production, counts, lots ….

    The same file twice changes nothing, a corrected file corrects. A file with a wrong row sends nothing.
    """
    if template:
        _write_template(Kind(template), out)
    elif only_list:
        _list(settings_of(context), as_json)
    elif file is None or what is None:
        raise click.UsageError("Expected FILE and --as, got none; or --list, or --template.")
    elif given["complete"] and what not in LINES:
        raise click.UsageError(f"Expected --complete with {', '.join(LINES)}, got it with {what}.")
    else:
        order = _Order(file=file, what=Kind(what), token=read_secret(None, token_file) or "", **given)
        answer = _import(context, order)
        print_json(answer) if as_json else show(answer, console())
        if answer.faults or answer.rejected:
            context.exit(EXIT_NO)


def _import(context: click.Context, order: _Order) -> Imported:
    text, rules = load_map(order.map_name)
    now = datetime.now(UTC)
    try:
        checked = check(order.file, rules, order.what, now=now, by=order.by)
    except TableInvalid as invalid:
        raise Refused(f"{order.file.name}: {invalid}") from None
    sends = bool(checked.events) and not order.only_check and (order.proceed or not checked.faults)
    # a file with wrong rows does not say what is whole
    complete = order.complete and not checked.faults
    plan = Plan(list(checked.events))
    if checked.lines and order.what in LINES and (sends or complete):
        plan = _planned(checked, order, settings=settings_of(context), complete=complete, now=now)
    answer = answer_of(checked, plan, file=order.file.name, what=order.what, map_name=order.map_name)
    if not sends:
        return answer
    settings = settings_of(context)
    sent = _sent(plan.events, answer, order=order, url=order.url or gateway_url(settings))
    _record(settings, sent, by=order.by, map_sha256=hashlib.sha256(text.encode()).hexdigest())
    return sent


def _planned(checked: Checked, order: _Order, *, settings: Settings, complete: bool, now: datetime) -> Plan:
    await_history(settings)
    with History(settings.clickhouse) as history:
        return plan_of(checked.lines, known_lines(history, checked.lines, order.what), complete=complete, at=now)


def _sent(events: list[bytes], answer: Imported, *, order: _Order, url: str) -> Imported:
    source = f"import:{quote(answer.file)[:100]}:{answer.sha256[:12]}"
    door = Format.DECISIONS if order.what is Kind.LOTS else Format.EVENTS
    replay = Replay(url=url, format=door, source=source, token=order.token)
    if not events:
        return answer.model_copy(update={"sent": True})
    with tempfile.TemporaryDirectory(prefix="lotstream-import-") as folder:
        written = Path(folder) / f"{Path(answer.file).stem}.jsonl"
        written.write_bytes(b"\n".join(events) + b"\n")
        (done,) = send((written,), replay, Console(stderr=True, highlight=False))
    return answer.model_copy(update={"sent": True, "accepted": done.accepted, "rejected": done.rejected})


def _record(settings: Settings, answer: Imported, *, by: str, map_sha256: str) -> None:
    result = ImportResult(
        what=answer.what,
        map=Path(answer.map).name,
        map_sha256=map_sha256,
        rows=answer.rows,
        faults=len(answer.faults),
        accepted=answer.accepted,
        rejected=answer.rejected,
        unchanged=answer.unchanged,
        corrected=answer.corrected,
        retracted=answer.retracted,
    )
    done = operation(result, file=answer.file, sha256=answer.sha256, by=by, at=datetime.now(UTC))
    Post(settings).record([done])


def _write_template(kind: Kind, out: Path | None) -> None:
    if out is None:
        sys.stdout.write(template_csv(kind))
    elif out.suffix.lower() == ".xlsx":
        write_xlsx(kind, out)
    elif out.suffix.lower() == ".csv":
        out.write_text(template_csv(kind), encoding="utf-8", newline="")
    else:
        raise click.BadParameter(f"Expected FILE.csv or FILE.xlsx, got {str(out)!r}.")


def _list(settings: Settings, as_json: bool) -> None:
    found = imports(settings)
    if as_json:
        print_json(found)
    else:
        show_list(found, console())
