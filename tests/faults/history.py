"""ClickHouse is away, slow, or refuses; the sink dies."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lotstream.deploy.embedded.clickhouse import EmbeddedClickHouse, Role, User
from tests.faults.fault import expect, fault
from tests.faults.ground import Ground

WAITING = "lotstream_sink_waiting_seconds"
ALARM_S = 30.0
TIMES_REAL = 3.0


def waits(ground: Ground, code: str) -> str:
    """Wait until the sink waits for ClickHouse, with a code of its own, and its metric says so."""
    ground.wait(lambda: code in ground.check("sink", "sinks"), f"a sink that waits for {code or 'ClickHouse'}")
    ground.wait(lambda: ground.metric("sink", WAITING) > 1.0, "an alarm in the metrics", within_s=ALARM_S)
    return f"the sink waited for {code or 'a connection'}, alarm in its metrics"


@fault()
def sink_killed(ground: Ground) -> str:
    """SIGKILL under load."""
    ground.renew("sink", signal.SIGKILL)
    return "started anew from its last commit"


@fault()
def sink_killed_between_insert_and_commit(ground: Ground) -> str:
    """Dies by itself when its rows are in and their offsets are not committed."""
    return ground.dies_at("sink", "sightings:inserted:2")


@fault()
def sink_frozen(ground: Ground) -> str:
    """SIGSTOP for longer than the session."""
    with ground.frozen(ground.process("sink").pid):
        time.sleep(8.0)
    return "joined its groups again"


@fault()
def clickhouse_killed(ground: Ground) -> str:
    """SIGKILL; the lag drains at three times real time at least."""
    ground.clickhouse.kill()
    began = time.monotonic()
    waits(ground, "")
    time.sleep(10.0)
    ground.clickhouse.start()
    away_s, behind = time.monotonic() - began, set(ground.account.acknowledged)

    def caught_up() -> bool:
        return not behind - ground.answered().keys()

    drained_s = ground.wait(caught_up, "the lag drained", within_s=away_s)
    expect(drained_s * TIMES_REAL <= away_s, f"Expected {away_s:.0f} s drained in a third, got {drained_s:.1f} s.")
    return f"{away_s:.0f} s of lag drained in {drained_s:.1f} s"


@fault()
def clickhouse_frozen(ground: Ground) -> str:
    """SIGSTOP: connections stay, an insert hangs."""
    with ground.frozen(ground.clickhouse.pid):
        alarm_s = ground.wait(lambda: ground.metric("sink", WAITING) > 10.0, "an alarm", within_s=ALARM_S)
    return f"{WAITING} above 10 after {alarm_s:.0f} s"


@contextmanager
def served(ground: Ground, *, password: str = "", role: Role = Role.WRITER) -> Iterator[None]:
    """The same data and port with another writing user, and as before afterwards."""
    own, port = ground.clickhouse, ground.clickhouse.port
    own.stop()
    secret = str(ground.env["LOTSTREAM_CLICKHOUSE__PASSWORD"])
    users = [User("lotstream_writer", password or secret, role), User("lotstream_reader", secret, Role.READER)]
    other = EmbeddedClickHouse(
        ground.directory / "clickhouse",
        users=users,
        port=port,
        run_dir=ground.run_dir,
        log_file=ground.run_dir / "clickhouse.log",
    )
    other.start()
    try:
        yield
    finally:
        other.stop()
        own.start()


@fault()
def clickhouse_read_only(ground: Ground) -> str:
    """The writing user may only read."""
    with served(ground, role=Role.READER):
        return waits(ground, "READONLY")


@fault()
def clickhouse_bad_password(ground: Ground) -> str:
    """The password of the writing user is another one."""
    with served(ground, password="another"):
        return waits(ground, "AUTHENTICATION_FAILED")


@fault()
def clickhouse_too_many_parts(ground: Ground) -> str:
    """Merges do not keep up."""
    ground.command("ALTER TABLE $.sightings MODIFY SETTING parts_to_delay_insert = 1, parts_to_throw_insert = 1")
    ground.command("SYSTEM STOP MERGES $.sightings")
    try:
        return waits(ground, "TOO_MANY_PARTS")
    finally:
        ground.command("ALTER TABLE $.sightings RESET SETTING parts_to_delay_insert, parts_to_throw_insert")
        ground.command("SYSTEM START MERGES $.sightings")


@fault()
def clickhouse_table_missing(ground: Ground) -> str:
    """A table is not there: a migration that is half-way, or somebody's mistake."""
    ground.command("RENAME TABLE $.sightings TO $.sightings_aside")
    try:
        return waits(ground, "UNKNOWN_TABLE")
    finally:
        ground.command("RENAME TABLE $.sightings_aside TO $.sightings")
