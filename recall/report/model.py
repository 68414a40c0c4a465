"""The report of a recall, as programs read it."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import Field

from lotstream.recall.answers import Answer, BlindWindow, Lot
from lotstream.recall.trace_answer import Trace

DISCLAIMER = (
    "Made from the records of lotstream. It supports compliance and certifies nothing: whoever decides by it answers "
    "for it."
)


class Measure(StrEnum):
    """What is counted, besides UN/CEFACT Rec 20 units: never added to one another."""

    ITEMS = "items"
    CASES = "cases"
    PALLETS = "pallets"
    LABELS = "labels"


class Term(StrEnum):
    """What a figure is of. The first nine of a lot and measure: made is what the others add up to."""

    MADE = "made"
    ON_HAND = "on_hand"
    IN_TRANSIT = "in_transit"
    SHIPPED = "shipped"
    CONSUMED = "consumed"
    DESTROYED = "destroyed"
    ADJUSTED = "adjusted"
    UNEXPLAINED = "unexplained"
    RECEIVED = "received"
    SENT = "sent"
    USED = "used"
    MADE_BY = "made_by"


PARTS = (
    Term.ON_HAND, Term.IN_TRANSIT, Term.SHIPPED, Term.CONSUMED, Term.DESTROYED, Term.ADJUSTED, Term.UNEXPLAINED,
)  # fmt: skip


class Share(Answer):
    """A percentage, and of what it is one."""

    percent: Decimal
    of: Decimal = Field(description="the denominator: what was made of the lot, in the figure's own measure")
    measure: str
    at: datetime | None = Field(description="of when it is; absent where nothing is recorded yet")


class Figure(Answer):
    """So much of a lot, with where, to whom and how that is known. `--explain` tells its facts."""

    figure: str = Field(description="its name: the same for the same lot, term, place, document line and measure")
    lot: str = Field(description="lot key; empty: of all lots of the report together")
    term: Term
    total: bool = Field(default=False, description="of the whole lot; else of one place, document line or process")
    measure: str = Field(
        description="items, cases and pallets (logistic units), labels (scanned case labels), or UN/CEFACT Rec 20"
    )
    value: Decimal
    share: Share | None = Field(default=None, description="of what was made; absent where that is not known")
    location: str = ""
    name: str = Field(default="", description="of the location")
    disposition: str = ""
    party: str = Field(default="", description="sent: who receives; the destination where nobody is named")
    document: str = ""
    line: str = ""
    linked: tuple[str, ...] = Field(default=(), description="documents that belong with it")
    others: tuple[str, ...] = Field(default=(), description="used: what was made of it; made by: what went into it")
    process: str = Field(default="", description="used, made by: id of the process")
    biz_step: str = ""
    evidence: dict[str, int] = Field(
        default_factory=dict, description="items, or facts of class-level goods, by how they are known, strongest first"
    )
    provisional: int = Field(default=0, description="of these, items whose sighting is not final yet")
    first_at: datetime | None = None
    last_at: datetime | None = None


class Passed(Answer):
    """The sinks had everything of a partition below an offset."""

    topic: str
    partition: int
    next: int


class Shared(Answer):
    """Another lot that was where a lot was, while it was there, or was made on its line on the same day."""

    lot: str
    other: str
    location: str
    line: str = Field(default="", description="production line; empty: only the place is shared")
    since: datetime
    until: datetime
    items: int = Field(
        description="serialised units of the other lot seen there in the report's span; above 65,536 about"
    )


class Window(BlindWindow):
    """An interval that could hide more, and the lots that it touches."""

    touches: tuple[str, ...] = Field(description="lots that were seen at this read point, location or site")
    topic: str = "blind-windows.v1"
    partition: int
    offset: int


class ReportLot(Answer):
    """One lot of a report."""

    lot: Lot
    scope: str = Field(default="", description="what of it; empty: all of it")
    figures: tuple[Figure, ...]


class Report(Answer):
    """`lotstream recall report`: everything about some lots, each figure with its name."""

    kind: Literal["report"] = "report"
    v: Literal[1] = 1
    disclaimer: str = DISCLAIMER
    case: str = Field(default="", description="number of the recall; empty: of lots alone")
    lots: tuple[ReportLot, ...]
    totals: tuple[Figure, ...] = Field(description="of all lots together, items and each unit of measure apart")
    shared: tuple[Shared, ...]
    blind_windows: tuple[Window, ...]
    truncated: tuple[Literal["shared", "blind_windows"], ...] = Field(default=(), description="of what there is more")
    back: Trace | None = Field(default=None, description="what went into them; its milliseconds are 0")
    forward: Trace | None = Field(default=None, description="what was made from them; its milliseconds are 0")
    as_of: datetime | None = Field(
        default=None, description="by what had happened by then; by everything, where absent"
    )
    known_at: datetime | None = Field(
        default=None, description="as known at that instant: asked again with it the report is the same"
    )
    offsets: tuple[Passed, ...] = Field(description="what the sinks had passed at that instant")
    milliseconds: float


class FactBehind(Answer):
    """One record behind a figure."""

    topic: str
    partition: int
    offset: int
    event: str = Field(description="hash of the event that says so; empty: reads say so")
    subject: str = Field(description="the unit, or the lot")
    what: str = Field(description="business step or effect; of reads: the read point")
    evidence: str = ""
    location: str = ""
    document: str = ""
    line: str = ""
    at: datetime
    value: Decimal | None = Field(default=None, description="class-level goods; absent: one unit, or not said")
    measure: str = ""


class Explanation(Answer):
    """`lotstream recall report --explain FIGURE`: the facts behind a figure."""

    kind: Literal["explanation"] = "explanation"
    v: Literal[1] = 1
    figure: Figure
    how: str = Field(description="how the facts make the figure")
    parts: tuple[Figure, ...] = Field(description="figures that it is made of")
    facts: tuple[FactBehind, ...]
    truncated: bool = Field(description="there are more facts")
    as_of: datetime | None = Field(
        default=None, description="by what had happened by then; by everything, where absent"
    )
    known_at: datetime | None = Field(default=None, description="as known at that instant; now, where absent")
    milliseconds: float
