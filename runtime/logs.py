"""Structured logs on stderr: one JSON object a line, or readable text for a terminal.

The message of a record is the name of the event; what it concerns goes into `extra`, one field each:
`log.info("batch_published", extra={"topic": topic, "reads": 500})`.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from lotstream.runtime.sections import LogFormat, LogLevel, LogSettings

# what every record has of its own; the rest came in by `extra`
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECRET = ("password", "secret", "token", "authorization", "credential")
_MASK = "**********"
_LOUD = ("faust", "mode", "aiokafka", "asyncio", "httpx", "httpcore", "urllib3", "uvicorn.access")


def setup_logging(log: LogSettings, *, service: str, stream: TextIO | None = None) -> None:
    """Point every logger of the process at `stream` (stderr), in place of what was set before.

    `service` is the process' role, such as `gateway` or `worker.smooth`.
    """
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(JsonFormatter(service) if log.format is LogFormat.JSON else TextFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(log.level.value)
    logging.captureWarnings(True)
    # faust and aiokafka build their debug records before they ask whether anybody listens
    logging.disable(logging.NOTSET if log.level is LogLevel.DEBUG else logging.DEBUG)
    for name in _LOUD:
        logging.getLogger(name).setLevel(max(logging.getLevelName(log.level.value), logging.INFO))


class JsonFormatter(logging.Formatter):
    """`{"ts", "level", "logger", "service", "event", ...fields, "error"?}` on one line, ASCII-safe."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "ts": _instant(record),
            "level": record.levelname,
            "logger": record.name,
            "service": self._service,
            "event": record.getMessage(),
        }
        line |= {name: value for name, value in _fields(record).items() if name not in line}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """`12:00:00.000 INFO  gateway batch_published reads=500` for people."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        time = _instant(record)[11:23]
        line = f"{time} {record.levelname:<7} {self._service} {record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _instant(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: masked(value, name=name) for name, value in vars(record).items() if name not in _OWN}


def masked(value: object, *, name: str) -> object:
    """`value` with everything masked that is named like a secret, at any depth; paths of secret files stay."""
    if isinstance(value, dict):
        return {key: masked(inner, name=str(key)) for key, inner in value.items()}
    low = name.lower()
    if value is not None and not low.endswith(("_file", "_s")) and any(word in low for word in _SECRET):
        return _MASK
    return value
