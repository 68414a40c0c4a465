"""What every contract shares: strict frozen models, words for time and evidence, and decoding with a clear error."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lotstream.runtime.errors import Reason, Rejected

SLOT_US = 30_000_000
LATEST_US = 4_102_444_800_000_000  # 2100-01-01: beyond it a clock is wrong, not late
MAX_DEPTH = 8
NOT_REPORTED = -(2**31)  # a value of an optional numeric column that this one read does not carry

Micros = Annotated[int, Field(ge=0, le=LATEST_US, description="microseconds since 1970-01-01T00:00:00Z")]
Name = Annotated[str, Field(min_length=1, max_length=200, description="identifier, 1 to 200 characters")]
Key = Annotated[str, Field(min_length=3, max_length=400, description="GS1 key as a Digital Link path, or hex/…")]
Amount = Annotated[Decimal, Field(max_digits=18, decimal_places=6, description="Decimal(18,6)")]

T = TypeVar("T")


class Origin(StrEnum):
    """How a message reached the gateway. Only live data teaches the clock and runs on log time."""

    LIVE = "live"
    BUFFERED = "buffered"
    FILE = "file"


class Evidence(StrEnum):
    """How a number is known, strongest first (ARCHITECTURE, promise 4)."""

    CONFIRMED = "confirmed"
    INFERRED = "inferred"
    DECLARED = "declared"
    PROBABILISTIC = "probabilistic"


class Wire(BaseModel):
    """A contract: strict, frozen, nothing unknown."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    def encode(self) -> bytes:
        """The message value: JSON in UTF-8."""
        return self.model_dump_json(exclude_none=True).encode()


class Stamp(Wire):
    """What depends on arrival, fixed once at the gateway (ARCHITECTURE section 2)."""

    received_us: Micros
    origin: Origin
    source: Name = Field(description="reader, feed or producer that sent it; the unit of limits and blind windows")
    request: Name = Field(description="request id; one retried request keeps it")


def slot_of(time_us: int) -> int:
    """Slot number of an event time: steps of 30 s since the epoch."""
    return time_us // SLOT_US


def first_error(error: ValidationError) -> tuple[str, str]:
    """(field, 'Expected …, got …') of the first problem pydantic found."""
    problem = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in problem["loc"]) or "message"
    got = repr(problem.get("input"))
    return (
        field,
        f"Expected {problem['msg']} at {field}, got {got if len(got) <= 120 else got[:117] + '...'}.",
    )


def decode(adapter: TypeAdapter[T], value: bytes | None) -> T:
    """The model in a message value. Raises Rejected (json_invalid, schema_invalid) with field, expected, got."""
    if value is None:
        raise Rejected(Reason.JSON_INVALID, "Expected a message value, got none.")
    try:
        return adapter.validate_json(value)
    except ValidationError as error:
        field, detail = first_error(error)
        reason = Reason.JSON_INVALID if error.errors()[0]["type"] == "json_invalid" else Reason.SCHEMA_INVALID
        raise Rejected(reason, detail, field=field) from None


def dump(value: dict[str, Any]) -> bytes:
    """Columns to JSON in UTF-8; an order of magnitude faster than dumping a model."""
    return orjson.dumps(value)
