"""How long ClickHouse keeps a row: rules of the tables, as the settings say; none while a legal hold is in force."""

import re
from dataclasses import dataclass
from datetime import datetime

from lotstream.runtime.settings import ClickhouseSettings
from lotstream.sinks.store import ClickhouseStore

# table: (setting that says how long, column that it is counted from)
RULES = {
    **dict.fromkeys(("sightings", "lot_sightings"), ("sightings_days", "recorded_at")),
    **dict.fromkeys(
        (
            "events",
            "bindings",
            "lots",
            "holds",
            "lot_numbers",
            "decisions",
            "documents",
            "document_lines",
            "quantities",
            "transformations",
            "conversions",
        ),
        ("facts_days", "recorded_at"),
    ),
    "sink_offsets": ("facts_days", "at"),
    **dict.fromkeys(("reader_events", "blind_windows", "alerts"), ("signals_days", "recorded_at")),
    "dead_letters": ("signals_days", "received_at"),
    "operations": ("signals_days", "at"),
}
FOR_EVER = {setting: 0 for setting, _ in RULES.values()}
ALL = "all"
_TTL = re.compile(r" TTL (.+?)(?: SETTINGS |$)")


@dataclass(frozen=True, slots=True)
class LegalHold:
    """A hold that is in force."""

    subject: str  # a lot key, or 'all'
    at: datetime
    by: str
    why: str


def holds(settings: ClickhouseSettings) -> list[LegalHold]:
    """The legal holds in force, oldest first. Raises Transient."""
    store = ClickhouseStore(settings)
    try:
        return _holds(store, settings.database)
    finally:
        store.close()


def say_hold(settings: ClickhouseSettings, hold: LegalHold, *, placed: bool) -> list[str]:
    """Place or release a hold; what changed of the tables' rules. Raises Transient."""
    store = ClickhouseStore(settings)
    try:
        columns = ([hold.subject], [hold.at], [placed], [hold.by], [hold.why])
        store.insert("legal_holds", columns, names=("subject", "at", "placed", "by", "why"))
        return apply_retention(store, settings)
    finally:
        store.close()


def apply_retention(store: ClickhouseStore, settings: ClickhouseSettings, *, on_cluster: str = "") -> list[str]:
    """Give every table the rule that it should have; one line per table that had another. Raises Transient."""
    held = bool(_holds(store, settings.database))
    rows = store.query(f"SELECT name, engine_full FROM system.tables WHERE database = '{settings.database}'")  # noqa: S608 - a checked name
    there = {name: match.group(1) if (match := _TTL.search(engine)) else "" for name, engine in rows}
    said = []
    for table in RULES:
        days = 0 if held else days_of(settings, table)
        if there.get(table, "") != _rule(table, days):
            store.command(statement(settings.database, table, days=days, on_cluster=on_cluster))
            said.append(f"{table}: kept {f'{days} days' if days else 'for ever'}")
    return said


def days_of(settings: ClickhouseSettings, table: str) -> int:
    """How long a table keeps a row, by the settings; 0 is for ever."""
    return int(getattr(settings, RULES[table][0]))


def statement(database: str, table: str, *, days: int, on_cluster: str = "") -> str:
    """The statement that gives a table its rule, or takes it away."""
    change = f"MODIFY TTL {_rule(table, days)}" if days else "REMOVE TTL"
    return f"ALTER TABLE {database}.{table} {on_cluster} {change}"


def _rule(table: str, days: int) -> str:
    """As the server writes it."""
    return f"toDateTime({RULES[table][1]}) + toIntervalDay({days})" if days else ""


def _holds(store: ClickhouseStore, database: str) -> list[LegalHold]:
    rows = store.query(
        f"SELECT subject, max(at) AS newest, argMax(by, at), argMax(why, at) FROM {database}.legal_holds"  # noqa: S608 - a checked name
        " GROUP BY subject HAVING argMax(placed, at) ORDER BY newest"
    )
    return [LegalHold(*row) for row in rows]
