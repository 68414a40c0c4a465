"""Whether the reading user reads, and does nothing else."""

import secrets

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError

from lotstream.runtime.clickhouse import client_arguments
from lotstream.runtime.errors import Transient
from lotstream.runtime.settings import ClickhouseSettings

READONLY, ACCESS_DENIED = 164, 497


def reader_writes(settings: ClickhouseSettings) -> bool:
    """Try to make a table as the reading user; what was made is removed. Raises Transient when nothing is told."""
    name = f"{settings.database}.doctor_{secrets.token_hex(6)}"
    try:
        client = clickhouse_connect.get_client(**client_arguments(settings, "reader"))
        try:
            client.command("SELECT 1")
            client.command(f"CREATE TABLE {name} (n UInt8) ENGINE = Memory")
            client.command(f"DROP TABLE {name}")
        finally:
            client.close()
    except (ClickHouseError, OSError) as error:
        if getattr(error, "code", None) in (READONLY, ACCESS_DENIED):
            return False
        raise Transient(f"ClickHouse at {settings.url} does not answer {settings.reader_user}: {error}") from None
    return True
