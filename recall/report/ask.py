"""The question of a report: a few queries for all its lots at once."""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from lotstream.recall.edges import Link
from lotstream.recall.find import find_lots
from lotstream.recall.links import links_of
from lotstream.recall.report.build import build
from lotstream.recall.report.facts import LotFacts, Row, Setting
from lotstream.recall.report.model import Report
from lotstream.recall.scope import ScopedLot, Tags
from lotstream.recall.store import History
from lotstream.recall.tally import OUTGOING
from lotstream.recall.trace_ask import traces_of_lots
from lotstream.recall.trace_facts import HistoryFacts, asked, asked_all

MOST = 5_000  # other lots beside these, and blind windows, that a report lists
_SLOT = timedelta(seconds=30)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OF_PARTS = ("report_units", "report_sent")


def lots_named(history: History, texts: Iterable[str], *, gtin: str = "") -> list[ScopedLot]:
    """Whole lots, as people name them. Raises LotMissing, LotAmbiguous, IdentifierInvalid, ClickhouseAway."""
    found = {lot: text for text, lot in find_lots(history, texts, gtin=gtin).items()}
    return [ScopedLot(lot, None, (f"lot {text}",)) for lot, text in sorted(found.items())]


def newest_instant(history: History) -> datetime | None:
    """When the sinks last said how far they were: a question of then can be asked again. Raises ClickhouseAway."""
    return next((row["at"] for row in history.ask("newest_offsets")), None)


def report_of(history: History, scoped: Sequence[ScopedLot], *, case: str = "") -> Report:
    """Everything about some lots; ``history`` is of an instant (`fixed`) where it is to be repeated.

    Raises ClickhouseAway.
    """
    history.connect()
    started = time.perf_counter()
    facts = HistoryFacts(history)
    lots = facts_of(history, scoped, processes=facts)
    since, until = _span(lots, until=_now(history))
    keys = [one.lot for one in scoped]
    shared = _shared(history, keys, since=since, until=until)
    windows = history.ask("report_windows", since=since, until=until, most=MOST + 1)
    told = build(
        lots,
        setting_of(history, lots),
        shared=shared[:MOST],
        windows=windows[:MOST],
        truncated=tuple(name for name, rows in (("shared", shared), ("blind_windows", windows)) if len(rows) > MOST),
        passed=history.passed(),
        traces=traces_of_lots(history, keys, facts=facts) if keys else {},
        case=case,
        as_of=history.as_of,
        known_at=history.known_at,
    )
    return told.model_copy(update={"milliseconds": round((time.perf_counter() - started) * 1000, 3)})


def facts_of(history: History, scoped: Sequence[ScopedLot], *, processes: HistoryFacts | None = None) -> list[LotFacts]:
    """What is known of each lot; ``processes`` has what is asked of these. Raises ClickhouseAway."""
    keys = [one.lot for one in scoped]
    whole = [one.lot for one in scoped if one.tags is None]
    loose = [one.lot for one in scoped if one.tags is None or one.tags.loose]
    parts = [(one.lot, one.tags) for one in scoped if one.tags is not None]
    told = asked_all(history, ("report_lots", "report_holds"), "lots", keys)
    told |= asked_all(history, ("report_quantities", "report_carried", "report_carried_sent"), "lots", loose)
    told |= asked_all(history, _OF_PARTS, "lots", whole, **part_filter(None))
    for name in _OF_PARTS:
        told[name] += [row for lot, tags in parts for row in history.ask(name, lots=[lot], **part_filter(tags))]
    rows = {name.removeprefix("report_"): found for name, found in told.items()}
    rows["statements"], rows["decided"] = rows.pop("lots"), rows.pop("holds")
    by_lot = {name: _by_lot(found) for name, found in rows.items()}
    links = _links(processes or HistoryFacts(history), keys)
    return [
        LotFacts(one, links=links.get(one.lot, ()), **{name: some.get(one.lot, ()) for name, some in by_lot.items()})
        for one in scoped
    ]


def setting_of(history: History, lots: Iterable[LotFacts]) -> Setting:
    """What holds for the whole report. Raises ClickhouseAway."""
    sent = [row for facts in lots for row in (*facts.sent, *facts.carried_sent)]
    sent += [row for facts in lots for row in facts.quantities if row["biz_step"] in OUTGOING]
    places = history.places()
    return Setting(
        day=_now(history).date(),
        at=history.as_of or history.known_at,
        names={row["id"]: row["name"] for row in places},
        kinds={row["id"]: row["kind"] for row in places},
        linked={
            document: tuple(link.document for link in links)
            for document, links in links_of(history, sorted({row["document"] for row in sent} - {""})).items()
        },
    )


def part_filter(tags: Tags | None) -> dict[str, Any]:
    """Parameters of the queries that can be asked of a part of a lot."""
    serials = () if tags is None else tags.serials
    firsts, lasts = [first for first, _ in serials], [last for _, last in serials]
    return {"part": tags is not None, "firsts": firsts, "lasts": lasts, "units": [] if tags is None else [*tags.units]}


def _by_lot(rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["lot"]].append(row)
    return found


def _links(facts: HistoryFacts, lots: Collection[str]) -> dict[str, list[Link]]:
    """Of each lot all links of the processes that took some of it or made some."""
    processes = facts.touching(lots, output=True) | facts.touching(lots, output=False)
    by_process: dict[str, list[Link]] = defaultdict(list)
    for link in facts.links(sorted(processes)):
        by_process[link.process].append(link)
    wanted = set(lots)
    found: dict[str, list[Link]] = defaultdict(list)
    for links in by_process.values():
        for lot in {link.node for link in links} & wanted:
            found[lot] += links
    return found


def _shared(history: History, lots: Sequence[str], *, since: datetime, until: datetime) -> list[Row]:
    slots = {"first_slot": (since - _EPOCH) // _SLOT, "last_slot": (until - _EPOCH) // _SLOT}
    rows = asked(history, "report_shared", "lots", lots, most=MOST + 1, **slots)
    rows += asked(history, "report_line", "lots", lots, most=MOST + 1)
    return [row for row in rows if row["other"] not in lots]


def _span(lots: Iterable[LotFacts], *, until: datetime) -> tuple[datetime, datetime]:
    """From the first to the last instant that anything is known of."""
    firsts = [row["since"] for facts in lots for row in (*facts.units, *facts.quantities)]
    firsts += [row["produced_at"] for facts in lots for row in facts.statements if row["produced_at"]]
    return min(firsts, default=until), until


def _now(history: History) -> datetime:
    return history.as_of or history.known_at or datetime.now(UTC)
