"""blind-windows.v1, dead-letters.v1, operations.v1: what could not be seen, what was not understood, and what a person
decided about it."""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from typing import Literal

from pydantic import Field, TypeAdapter

from lotstream.runtime.errors import Reason, Rejected
from lotstream.schemas.base import Micros, Name, Wire, decode


class BlindWindow(Wire):
    """An interval in which a read point, a feed or a site could not see."""

    kind: Literal["blind_window"] = "blind_window"
    v: Literal[1] = 1
    subject: Name = Field(description="read point, feed or site")
    cause: Literal["down", "overflow", "discarded", "stale", "mapping", "gap", "clock", "stopped"]
    from_us: Micros
    until_us: Micros | None = Field(default=None, description="absent while it lasts")
    lost: int | None = Field(default=None, ge=0, description="reads lost, when the device counts them")
    detail: str = Field(default="", max_length=2_000)
    recorded_us: Micros


BLIND_WINDOW = TypeAdapter(BlindWindow)

Headers = tuple[tuple[str, bytes], ...]


class DeadLetter(Wire):
    """The headers of a message of dead-letters.v1; its value is the untouched bytes. Keyed by source.

    Key and headers of the record that was refused stand beside them as `record-key` and `record-header-NAME`; of a
    request at the gateway, what its caller said.
    """

    reason: Reason
    detail: str
    field: str = ""
    source: Name
    stage: Name = Field(description="gateway, register, smooth, resolve, locate, sink")
    origin: str = Field(default="", description="'topic:partition:offset', or 'door:request:item' of the gateway")
    received_us: Micros

    def headers(self) -> Headers:
        """Kafka headers, each value UTF-8 text."""
        return letter_headers(**self.__dict__)


def letter_headers(
    *, reason: Reason, detail: str, source: str, stage: str, received_us: int, field: str = "", origin: str = ""
) -> Headers:
    """The headers of a dead letter whose words are known to be right; a fifth of what the model takes."""
    return (
        ("reason", reason.encode()),
        ("detail", detail.encode()),
        ("field", field.encode()),
        ("source", source.encode()),
        ("stage", stage.encode()),
        ("origin", origin.encode()),
        ("received_us", b"%d" % received_us),
    )


def parse_dead_letter(headers: Headers) -> DeadLetter:
    """The dead letter's headers as a value; foreign headers are left aside."""
    text = {name: value.decode("utf-8", "replace") for name, value in headers if name in DeadLetter.model_fields}
    return DeadLetter.model_validate_strings(text)


LETTER_HEADER = "lotstream-letter"  # of a record that was sent again: the letter that it was
_KEY = "record-key"
_HEADER = "record-header-"


def carried(key: bytes | None, headers: Headers = ()) -> Headers:
    """What a dead letter keeps of a record beside its bytes, as headers of the letter."""
    kept = tuple((_HEADER + name, value) for name, value in headers)
    return kept if key is None else ((_KEY, key), *kept)


def original(headers: Headers) -> tuple[bytes | None, Headers]:
    """Key and headers of the record that a dead letter was."""
    key = next((value for name, value in headers if name == _KEY), None)
    return key, tuple((name.removeprefix(_HEADER), value) for name, value in headers if name.startswith(_HEADER))


def letter_digest(letter: DeadLetter, value: bytes) -> str:
    """Equal for every copy of a dead letter, whenever and however often it was written."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (letter.stage, letter.source, letter.reason, letter.field, letter.origin):
        digest.update(part.encode() + b"\0")
    digest.update(value)
    return digest.hexdigest()


class Action(StrEnum):
    """What a person does about a dead letter, or about a record at which a process stops; and files brought in."""

    REPLAY = "replay"
    DROP = "drop"
    PARK = "park"
    IMPORT = "import"


class Operation(Wire):
    """Who did what about which letter or file, when and why: the audit record. Keyed by its subject."""

    kind: Literal["operation"] = "operation"
    v: Literal[1] = 1
    action: Action
    subject: Name = Field(
        description="'topic:partition:offset' of the letter; of a park, of the record; of an import, 'kind:file'"
    )
    digest: str = Field(
        default="", max_length=64, description="of the letter, equal for each of its copies; of a file, its SHA-256"
    )
    by: Name
    why: str = Field(default="", max_length=2_000)
    result: str = Field(default="", max_length=2_000, description="of a replay: where the bytes went, what was said")
    at_us: Micros


OPERATION = TypeAdapter(Operation)


def parked(values: Iterable[bytes | None]) -> dict[str, Rejected]:
    """The records of operations.v1 that are to be passed over, each with what its dead letter says."""
    found = {}
    for value in values:
        try:
            operation = decode(OPERATION, value)
        except Rejected:
            continue  # of a later version
        if operation.action is Action.PARK:
            detail = f"Expected a record to decide, got one parked by {operation.by}: {operation.why}."
            found[operation.subject] = Rejected(Reason.PARKED, detail)
    return found


def park_command(where: str) -> str:
    """What a process that stops at a record says to whom it may concern."""
    return f"To go on without this record: lotstream dlq park {where}"
