"""blind-windows.v1, alerts.v1, dead-letters.v1: what could not be seen, what must be known, what was not understood."""

from typing import Literal

from pydantic import Field, TypeAdapter

from lotstream.runtime.errors import Reason
from lotstream.schemas.base import Micros, Name, Wire


class BlindWindow(Wire):
    """An interval in which a read point, a feed or a site could not see."""

    kind: Literal["blind_window"] = "blind_window"
    v: Literal[1] = 1
    subject: Name = Field(description="read point, feed or site")
    cause: Literal["down", "overflow", "discarded", "stale", "mapping", "gap", "clock"]
    from_us: Micros
    until_us: Micros | None = Field(default=None, description="absent while it lasts")
    lost: int | None = Field(default=None, ge=0, description="reads lost, when the device counts them")
    detail: str = Field(default="", max_length=2_000)
    recorded_us: Micros


class Alert(Wire):
    """Something that a person or a door light acts on."""

    kind: Literal["alert"] = "alert"
    v: Literal[1] = 1
    location: Name
    cause: Name
    detail: str
    at_us: Micros


BLIND_WINDOW = TypeAdapter(BlindWindow)
ALERT = TypeAdapter(Alert)

Headers = tuple[tuple[str, bytes], ...]


class DeadLetter(Wire):
    """The headers of a message of dead-letters.v1; its value is the untouched bytes. Partitioned by source."""

    reason: Reason
    detail: str
    field: str = ""
    source: Name
    stage: Name = Field(description="gateway, register, smooth, resolve, locate, sink")
    origin: str = Field(default="", description="'topic:partition:offset', or the door of the gateway")
    received_us: Micros

    def headers(self) -> Headers:
        """Kafka headers, each value UTF-8 text."""
        return tuple((name, str(value).encode()) for name, value in self.model_dump().items())


def parse_dead_letter(headers: Headers) -> DeadLetter:
    """The dead letter's headers as a value; foreign headers are left aside."""
    text = {name: value.decode("utf-8", "replace") for name, value in headers if name in DeadLetter.model_fields}
    return DeadLetter.model_validate_strings(text)
