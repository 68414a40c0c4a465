"""Everything about one lot, for an auditor."""

import time
from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field

from lotstream.recall.answers import Answer, Document, LotEntry
from lotstream.recall.documents import documents
from lotstream.recall.find import DocumentMissing
from lotstream.recall.fsma_places import subject_of
from lotstream.recall.lot import lot_shown
from lotstream.recall.mass_answer import MassBalance
from lotstream.recall.mass_ask import mass_of_lot
from lotstream.recall.report.ask import lots_named, report_of
from lotstream.recall.report.model import DISCLAIMER, Report
from lotstream.recall.steps import Steps, steps
from lotstream.recall.store import History

MOST = 10_000


class MasterVersion(Answer):
    """One version of what was said of a product, a location or a party."""

    subject: str
    event: str = Field(description="hash of the event that says so")
    taken_back: bool = Field(description="an error declaration took it back")
    name: str
    phone: str
    street: str
    city: str
    state: str
    zip: str
    country: str
    recorded_at: datetime
    partition: int
    offset: int


class EventSent(Answer):
    """An event that says something of the lot, as it was sent."""

    event: str
    event_type: str
    at: datetime
    action: str
    biz_step: str
    error: bool = Field(description="an error declaration")
    source: str
    recorded_at: datetime
    text: str = Field(description="the event in JSON, as it was sent")
    partition: int
    offset: int


class Movement(Answer):
    """A unit's arrival at a location, or one fact of class-level goods."""

    at: datetime
    subject: str = Field(description="the unit, or the lot")
    source: str
    location: str
    disposition: str
    read_point: str
    evidence: str
    amount: Decimal
    uom: str
    document: str
    line: str
    event: str


class Dossier(Answer):
    """`lotstream lot dossier LOT`: everything about one lot."""

    kind: Literal["dossier"] = "dossier"
    v: Literal[1] = 1
    disclaimer: str = DISCLAIMER
    report: Report
    entries: tuple[LotEntry, ...] = Field(description="who said or decided what of the lot, when and why")
    masters: tuple[MasterVersion, ...]
    steps: Steps = Field(description="one step back, one step forward; its milliseconds are 0")
    production: MassBalance = Field(description="of the processes that made it; its milliseconds are 0")
    documents: tuple[Document, ...] = Field(description="with their lines of this lot, and those that say no lot")
    movements: tuple[Movement, ...]
    events: tuple[EventSent, ...]
    truncated: tuple[Literal["documents", "movements", "events"], ...] = Field(description="of what there is more")
    milliseconds: float


def dossier(history: History, text: str, *, gtin: str = "", limit: int = MOST) -> Dossier:
    """Everything about a lot, of each list ``limit`` at most.

    Raises LotMissing, LotAmbiguous, IdentifierInvalid, ClickhouseAway.
    """
    history.connect()
    started = time.perf_counter()
    scoped = lots_named(history, [text], gtin=gtin)
    lot = scoped[0].lot
    report = report_of(history, scoped)
    movements = history.ask("dossier_movements", lot=lot, limit=limit + 1)
    events = history.ask("dossier_events", lot=lot, limit=limit + 1)
    named = [row["document"] for row in history.ask("dossier_documents", lot=lot, limit=limit + 1)]
    cut = {"documents": named, "movements": movements, "events": events}
    timeless = {"milliseconds": 0.0}
    return Dossier(
        report=report.model_copy(update=timeless),
        entries=lot_shown(history, lot, entries=True).history,
        masters=tuple(MasterVersion.model_validate(row) for row in _masters(history, report)),
        steps=steps(history, lot).model_copy(update=timeless),
        production=mass_of_lot(history, lot).model_copy(update=timeless),
        documents=tuple(one for name in named[:limit] for one in _document(history, name, lot)),
        movements=tuple(Movement.model_validate(row) for row in movements[:limit]),
        events=tuple(EventSent.model_validate(row) for row in events[:limit]),
        truncated=tuple(name for name, rows in cut.items() if len(rows) > limit),
        milliseconds=round((time.perf_counter() - started) * 1000, 3),
    )


def _masters(history: History, report: Report) -> list[dict[str, object]]:
    """Of the product, and of every place and party that a figure names."""
    known = {row["id"]: row for row in history.places()}
    named = {key for lot in report.lots for one in lot.figures for key in (one.location, one.party) if key}
    subjects = {f"01/{lot.lot.gtin}" for lot in report.lots} | named
    subjects |= {subject_of(key, known.get(key, {})) for key in named}
    return history.ask("dossier_masters", subjects=sorted(subjects))


def _document(history: History, name: str, lot: str) -> list[Document]:
    try:
        found = documents(history, name, limit=MOST).documents
    except DocumentMissing:  # a scan or a process names it, and nothing else
        return []
    mine = [one for one in found if one.document == name]
    return [
        one.model_copy(update={"lines": tuple(line for line in one.lines if line.lot in ("", lot))}) for one in mine
    ]
