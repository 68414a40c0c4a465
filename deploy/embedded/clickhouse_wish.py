"""What a request asks of its conversation with the engine: settings, database, session."""

from collections.abc import Mapping
from dataclasses import dataclass

from lotstream.deploy.embedded.clickhouse_errors import Code, refuse
from lotstream.deploy.embedded.clickhouse_users import Role

DEFAULT_TIMEOUT_S = 60
MAX_TIMEOUT_S = 3600
TRANSPORT = frozenset(
    [
        "query",
        "database",
        "session_id",
        "session_timeout",
        "session_check",
        "close_session",
        "query_id",
        "compress",
        "decompress",
        "buffer_size",
        "wait_end_of_query",
        "enable_http_compression",
        "http_zlib_compression_level",
        "client_protocol_version",
        "quota_key",
        "user",
        "password",
        "default_format",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
        "stacktrace",
        "cancel_http_readonly_queries_on_client_close",
    ]
)
"""Parameters of a request that are no settings of its query."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Settings and database hold for this request only; `reading` when it may change nothing."""

    role: Role
    reading: bool
    settings: Mapping[str, str]
    database: str = ""
    session: str = ""
    timeout_s: int = DEFAULT_TIMEOUT_S
    must_exist: bool = False
    close: bool = False


def parse_wish(headers: Mapping[str, str], params: Mapping[str, str], *, role: Role, reading: bool) -> Wish:
    """What the request asks for; `reading` says that its method may not write. Raises ClickHouseError."""
    settings = {
        name: value
        for name, value in params.items()
        if name and name not in TRANSPORT and not name.startswith("param_")
    }
    if "role" in settings:
        raise refuse(Code.UNKNOWN_ROLE, f"There is no role `{settings['role']}` here: users have their rights fixed.")
    if role is Role.WRITER and settings.pop("readonly", "0") != "0":
        reading = True
    return Wish(
        role=role,
        reading=reading or role is Role.READER,
        settings=settings,
        database=headers.get("x-clickhouse-database") or params.get("database", ""),
        session=params.get("session_id", ""),
        timeout_s=_timeout(params.get("session_timeout", str(DEFAULT_TIMEOUT_S))),
        must_exist=params.get("session_check") == "1",
        close=params.get("close_session") == "1",
    )


def _timeout(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise refuse(Code.INVALID_SESSION_TIMEOUT, f"Invalid session timeout: '{text}'.")
    if int(text) > MAX_TIMEOUT_S:
        message = f"Session timeout '{text}' is larger than max_session_timeout: {MAX_TIMEOUT_S}."
        raise refuse(Code.INVALID_SESSION_TIMEOUT, message)
    return int(text)
