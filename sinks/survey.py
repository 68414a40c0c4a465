"""What the history server is and which migrations it lacks; changes nothing."""

from dataclasses import dataclass

from lotstream.runtime.settings import ClickhouseSettings
from lotstream.sinks.migrate import migrations
from lotstream.sinks.store import ClickhouseStore


@dataclass(frozen=True, slots=True)
class Survey:
    """The server as the writing user sees it."""

    version: str
    missing: tuple[str, ...]  # names of migrations that are not applied


def survey(settings: ClickhouseSettings) -> Survey:
    """Ask as the writing user. Raises Transient when the server does not answer."""
    store = ClickhouseStore(settings)
    try:
        ((version,),) = store.query("SELECT version()")
        there = store.query(
            f"SELECT count() FROM system.tables WHERE database = '{settings.database}' AND name = 'schema_migrations'"  # noqa: S608 - a checked name
        )
        done: set[int] = set()
        if there[0][0]:
            rows = store.query(f"SELECT number FROM {settings.database}.schema_migrations")  # noqa: S608 - as above
            done = {int(number) for (number,) in rows}
    finally:
        store.close()
    return Survey(str(version), tuple(one.name for one in migrations() if one.number not in done))
