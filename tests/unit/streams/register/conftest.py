"""Events as the gateway writes them, and what the register makes of one."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from lotstream.runtime.settings import Settings
from lotstream.schemas.base import Origin, Stamp
from lotstream.schemas.documents import DOCUMENTS
from lotstream.schemas.events import ErrorDeclaration, EventType, TraceEvent
from lotstream.schemas.identity import decode_bindings
from lotstream.schemas.lots import LOT_RECORD
from lotstream.schemas.sightings import decode_sightings
from lotstream.streams.engine.core import Output, Record, encode
from lotstream.streams.register.stage import build_stage

AT = 1_800_000_000_000_000


class Register:
    """One register core, its answers decoded by topic."""

    gtin, at = "09521234543213", AT

    def __init__(self) -> None:
        self.settings = Settings.model_validate({"topics": {"partitions": 4}})
        self.core = build_stage(self.settings).build(0)

    def event(self, *, wrong: bool = False, **fields: Any) -> TraceEvent:
        known: dict[str, Any] = {
            "event_type": EventType.OBJECT,
            "event_hash": "hash",
            "event_time_us": AT,
            "text": "{}",
            "subject": "hash",
            "stamp": Stamp(received_us=AT + 7, origin=Origin.LIVE, source="erp", request="r"),
            "error": ErrorDeclaration(declared_us=AT) if wrong else None,
        }
        return TraceEvent(**(known | fields))

    def outputs(self, value: bytes, offset: int = 11) -> list[Output]:
        return list(self.core.apply(Record("events.v1", 0, offset, AT, None, value)))

    def facts(self, message: Any, offset: int = 11) -> dict[str, list[Any]]:
        decoders: dict[str, Callable[[bytes], list[Any]]] = {
            "identity.v1": decode_bindings,
            "sightings.v1": decode_sightings,
            "lots.v1": lambda value: [LOT_RECORD.validate_json(value)],
            "documents.v1": lambda value: [DOCUMENTS.validate_json(value)],
        }
        found: defaultdict[str, list[Any]] = defaultdict(list)
        for output in self.outputs(message.encode(), offset):
            found[output.topic] += decoders[output.topic](encode(output))
        return found


@pytest.fixture
def register() -> Register:
    return Register()
