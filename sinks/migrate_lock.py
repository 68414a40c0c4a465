"""One migrator at a time: a table that only one can make."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lotstream.runtime.errors import Transient
from lotstream.sinks.store import ClickhouseStore

LOCK = "schema_migrating"
WAIT_S = 30.0
STALE_S = 900  # longer than any migration takes; each of its statements may also run twice
_EVERY_S = 0.2


@contextmanager
def only_migrator(store: ClickhouseStore, database: str, *, on_cluster: str = "") -> Iterator[None]:
    """Nobody else migrates the database meanwhile. Raises Transient when somebody does, for long.

    What a process left behind when it died is taken over: of this machine at once, of another after a while.
    """
    me = f"{socket.gethostname()}:{os.getpid()}"
    until = time.monotonic() + WAIT_S
    while not _made(store, database, owner=me, on_cluster=on_cluster):
        other, age_s = _owner(store, database)
        if other == me or age_s > STALE_S or _is_dead(other):
            store.command(f"DROP TABLE IF EXISTS {database}.{LOCK} {on_cluster} SYNC")
        elif time.monotonic() > until:
            raise Transient(
                f"Expected no other migration of {database!r}, got one by process {other} for {WAIT_S:.0f} s."
                f" If that process is gone: DROP TABLE {database}.{LOCK}."
            )
        else:
            time.sleep(_EVERY_S)
    try:
        yield
    finally:
        store.command(f"DROP TABLE IF EXISTS {database}.{LOCK} {on_cluster} SYNC")


def _made(store: ClickhouseStore, database: str, *, owner: str, on_cluster: str) -> bool:
    """Whether the table is there, and made by us: the server makes it for one of many."""
    try:
        store.command(f"CREATE TABLE {database}.{LOCK} {on_cluster} (a UInt8) ENGINE = Memory COMMENT '{owner}'")
    except Transient:
        if not _owner(store, database)[0]:
            raise
        return False
    return True


def _owner(store: ClickhouseStore, database: str) -> tuple[str, int]:
    """Who made the table and how many seconds ago, by the server's clock; ('', 0) when it is not there."""
    rows = store.query(
        "SELECT comment, toInt64(dateDiff('second', metadata_modification_time, now())) FROM system.tables"  # noqa: S608 - checked names
        f" WHERE database = '{database}' AND name = '{LOCK}'"
    )
    return (str(rows[0][0]), int(rows[0][1])) if rows else ("", 0)


def _is_dead(owner: str) -> bool:
    host, _, pid = owner.rpartition(":")
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
