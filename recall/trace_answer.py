"""The answer of a trace, as programs read it."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import Field

from lotstream.recall.answers import Answer


class Direction(StrEnum):
    """Which way a trace goes."""

    FORWARD = "forward"
    BACK = "back"


class TraceNode(Answer):
    """A lot, or a unit of no known lot, that was reached."""

    name: str = Field(description="lot key; tag key of a unit, with '@' and when it was filled where that is known")
    steps: int = Field(description="the fewest processes between the start and it; 0: a start")
    description: str = ""
    supplier_code: str = ""
    expires: date | None = None


class TraceEdge(Answer):
    """One fact that links a lot or unit to a process, or a lot to the unit that it was traced from."""

    kind: Literal["input", "output", "content"] = Field(
        description="source goes into the process target; target comes out of the process source; target held source"
    )
    source: str
    target: str
    event: str = Field(description="hash of the event that says so")
    biz_step: str = ""
    at: datetime
    until: datetime | None = Field(default=None, description="content: when it was no longer inside")
    items: int = Field(description="serialised units")
    amount: Decimal | None = Field(default=None, description="class-level goods; absent: not said")
    uom: str = ""
    location: str = ""
    document: str = ""


class Delivery(Answer):
    """Some of a lot was shipped or received: an end of the trace."""

    lot: str
    biz_step: str
    sender: str = Field(default="", description="who sent, as the document line says")
    origin: str = Field(default="", description="from where, as the document line says")
    receiver: str = Field(default="", description="to whom; the destination where nobody is named")
    document: str = ""
    line: str = ""
    event: str = Field(description="hash of the event; empty for scanned labels")
    at: datetime
    location: str = ""
    items: int
    amount: Decimal | None = None
    uom: str = ""


class TracePlace(Answer):
    """Some of a lot that was reached is here now."""

    lot: str
    location: str
    disposition: str = Field(default="", description="in_transit: on its way there")
    items: int = Field(description="serialised units")
    amount: Decimal | None = Field(default=None, description="class-level goods")
    uom: str = ""


class Trace(Answer):
    """`lotstream trace LOT|EPC --forward|--back`: what was made from it, or what went into it."""

    kind: Literal["trace"] = "trace"
    v: Literal[1] = 1
    direction: Direction
    starts: tuple[str, ...]
    depth: int | None = Field(default=None, description="steps at most; absent: as many as there are")
    capped: Literal["", "depth", "size"] = Field(description="why there is more than was told; empty: that is all")
    nodes: tuple[TraceNode, ...]
    edges: tuple[TraceEdge, ...]
    deliveries: tuple[Delivery, ...] = Field(description="shipments and receipts of the lots that were reached")
    places: tuple[TracePlace, ...] = Field(default=(), description="where these lots are now, where that was asked")
    as_of: datetime | None = Field(
        default=None, description="by what had happened by then; by everything, where absent"
    )
    known_at: datetime | None = Field(default=None, description="as known at that instant; now, where absent")
    milliseconds: float
