"""One `[clickhouse]` section for every client of it."""

from typing import Any, Literal
from urllib.parse import urlsplit

from lotstream.runtime.sections import ClickhouseSettings


def client_arguments(clickhouse: ClickhouseSettings, role: Literal["writer", "reader"]) -> dict[str, Any]:
    """Keyword arguments of `clickhouse_connect.get_client`. Raises `SettingsInvalid` for an unreadable secret."""
    url = urlsplit(clickhouse.url)
    secure = url.scheme == "https"
    return {
        "host": url.hostname,
        "port": url.port or (8443 if secure else 8123),
        "secure": secure,
        "verify": clickhouse.verify,
        "ca_cert": str(clickhouse.ca_file) if clickhouse.ca_file else None,
        "username": clickhouse.user if role == "writer" else clickhouse.reader_user,
        "password": clickhouse.secret() if role == "writer" else clickhouse.reader_secret(),
        # a session would queue the queries of one client behind each other
        "autogenerate_session_id": False,
    }
