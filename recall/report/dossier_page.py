"""A dossier as one HTML page, and as a ZIP of it with its tables, its JSON and the events as they were sent."""

import json
import zipfile
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel

from lotstream.recall.report.dossier import Dossier
from lotstream.recall.report.files import write_csv
from lotstream.recall.report.page import document, parts_of, rows_of
from lotstream.recall.report.sheets import Sheet, rows_of_models, sheets
from lotstream.recall.steps import Step

_THEN = (1980, 1, 1, 0, 0, 0)  # the same dossier is the same archive, whenever it is written
_ENTRY = ("recorded_at", "what", "by", "reason", "at", "event")
_MASTER = (
    "subject",
    "name",
    "street",
    "zip",
    "city",
    "state",
    "country",
    "phone",
    "recorded_at",
    "taken_back",
    "event",
)
_STEP = ("lot", "description", "items", "amount", "uom", "at", "document", "line", "event", "missing")
_MASS = ("role", "lot", "description", "amount", "uom", "converted", "converted_uom", "percent", "at", "event")
_BALANCE = ("uom", "taken", "rework", "out", "waste", "adjusted", "unexplained", "percent", "verdict")
_LINE = ("line", "biz_step", "at", "lot", "amount", "uom", "from_party", "to_party", "from_location", "to_location")
_MOVE = (
    "at",
    "subject",
    "source",
    "location",
    "disposition",
    "read_point",
    "evidence",
    "amount",
    "uom",
    "document",
    "line",
)
_EVENT = ("at", "event_type", "action", "biz_step", "error", "source", "recorded_at", "event", "partition", "offset")


def dossier_sheets(told: Dossier) -> tuple[Sheet, ...]:
    """The tables of a dossier, those of its report first."""
    return (
        *sheets(told.report),
        _entries(told),
        _sheet("masters", "Master data and its versions", _MASTER, told.masters),
        _steps("step_back", "One step back", told.steps.back),
        _steps("step_forward", "One step forward", told.steps.forward),
        _sheet("production", "Production", _MASS, told.production.entries),
        _sheet("production_balance", "Mass balance of the production", _BALANCE, told.production.lines),
        _documents(told),
        _sheet("movements", "Movements", _MOVE, told.movements),
        _sheet("events", "Events", _EVENT, told.events),
    )


def dossier_page(told: Dossier) -> str:
    """The page."""
    title = f"Dossier of lot {told.report.lots[0].lot.code}"
    parts = [f"<h1>{escape(title)}</h1>", *parts_of(told.report)]
    for sheet in dossier_sheets(told)[len(sheets(told.report)) :]:
        parts += [f"<h2>{escape(sheet.title)}</h2>", rows_of(sheet) if sheet.rows else "<p>Nothing is known.</p>"]
    parts += [f"<p>There are more {escape(name)} than are listed.</p>" for name in told.truncated]
    return document(title, [*parts, f'<p class="note">{escape(told.disclaimer)}</p>'])


def write_zip(told: Dossier, path: Path) -> None:
    """dossier.html, dossier.json, a CSV of each table, and events.json with the events as they were sent.

    Raises OSError.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, TemporaryDirectory() as folder:
        write_csv(dossier_sheets(told), Path(folder))
        timeless = told.model_copy(update={"milliseconds": 0.0})
        _add(archive, "dossier.html", dossier_page(told))
        _add(archive, "dossier.json", timeless.model_dump_json(indent=2))
        _add(archive, "events.json", json.dumps([json.loads(one.text) for one in told.events], indent=2))
        for file in sorted(Path(folder).iterdir()):
            _add(archive, f"tables/{file.name}", file.read_text(encoding="utf-8"))


def _add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    entry = zipfile.ZipInfo(name, date_time=_THEN)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, text)


def _sheet(name: str, title: str, columns: tuple[str, ...], found: Iterable[BaseModel]) -> Sheet:
    return Sheet(name, title, columns, rows_of_models(found, columns))


def _entries(told: Dossier) -> Sheet:
    rows = rows_of_models(told.entries, _ENTRY)
    said = ("; ".join(f"{name} {value}" for name, value in entry.said.items()) for entry in told.entries)
    joined = tuple((*row, text) for row, text in zip(rows, said, strict=True))
    return Sheet("said", "Who said and decided what, when and why", (*_ENTRY, "said"), joined)


def _steps(name: str, title: str, found: Iterable[Step]) -> Sheet:
    found = list(found)
    rows = rows_of_models(found, _STEP)
    ends = ([" ".join((end.key, end.name, end.address)).strip() for end in (one.sender, one.receiver)] for one in found)
    joined = tuple((*parties, *row) for parties, row in zip(ends, rows, strict=True))
    return Sheet(name, title, ("from", "to", *_STEP), joined)


def _documents(told: Dossier) -> Sheet:
    def lines() -> Iterator[tuple[object, ...]]:
        for one in told.documents:
            linked = ", ".join(other.document for other in one.linked)
            for row in rows_of_models(one.lines, _LINE) or ((None,) * len(_LINE),):
                yield one.document, "cancelled" if one.cancelled else "", *row, linked

    return Sheet("documents", "Documents", ("document", "state", *_LINE, "linked"), tuple(lines()))  # type: ignore[arg-type]
