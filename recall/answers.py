"""The answers, as programs read them: each has a published JSON Schema (docs/schemas)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Frozen; serialised by `--json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class HoldScope(Answer):
    """What of a lot is held; nothing named: the whole lot."""

    serials: tuple[tuple[int, int], ...] = Field(default=(), description="ranges first..last")
    units: tuple[str, ...] = Field(default=(), description="items, or logistic units with what is in them")
    amount: Decimal | None = None
    uom: str = ""
    site: str = Field(default="", description="what is at this site or location")


class Hold(Answer):
    """A hold in force: this much of a lot must not move on."""

    hold: str = Field(description="its name, by which it is released")
    purpose: Literal["quarantine", "recall"]
    scope: HoldScope
    by: str
    reason: str
    since: datetime


class Lot(Answer):
    """What is known of a lot."""

    lot: str = Field(description="lot key: 01/<gtin14>/10/<lot code>")
    gtin: str
    code: str
    supplier_code: str = ""
    description: str = ""
    location: str = Field(default="", description="where it was made")
    produced_at: datetime | None = None
    expires: date | None = None
    best_before: date | None = None
    units: int | None = Field(default=None, description="serialised units commissioned")
    amount: Decimal | None = None
    uom: str = ""
    site: str = Field(default="", description="where it was made, as a person said")
    line: str = ""
    planned: Decimal | None = Field(default=None, description="how much was to be made")
    planned_uom: str = ""
    status: str = Field(default="active", description="recalled, held, expired or active, the gravest of them")
    holds: tuple[Hold, ...] = Field(default=(), description="those in force, where the answer is about one lot")


class Place(Answer):
    """Units of a lot at one location."""

    location: str
    name: str = ""
    disposition: str = ""
    items: int
    provisional: int = Field(default=0, description="of these, items whose sighting is not final yet")
    logistic: int = Field(description="logistic units that they were last seen in")
    evidence: tuple[str, ...]
    newest: datetime


class QuantityPlace(Answer):
    """Class-level goods of a lot at one location."""

    location: str
    name: str = ""
    disposition: str = ""
    amount: Decimal
    uom: str
    cases: int
    evidence: tuple[str, ...]
    newest: datetime


class Recipient(Answer):
    """Who received some of a lot, on which line of which document. Items, and each unit of measure, for themselves."""

    party: str = Field(description="who receives; the destination where nobody is named")
    document: str
    line: str
    items: int
    amount: Decimal
    uom: str
    cases: int
    first_at: datetime
    linked: tuple[str, ...] = Field(default=(), description="documents linked to this one: order, invoice, ...")


class Missing(Answer):
    """Where the books of a lot do not add up."""

    location: str = Field(description="empty: nobody said where")
    disposition: str = ""
    amount: Decimal = Field(description="below nothing: more has left than ever arrived there")


class Adjustment(Answer):
    """A count of a place, and what it corrected: what moved until then and is told later changes the difference."""

    location: str
    disposition: str = ""
    uom: str
    at: datetime
    booked: Decimal = Field(description="what the facts until then had there")
    counted: Decimal
    difference: Decimal = Field(description="counted - booked")
    opening: bool = Field(description="nothing was ever booked there before")
    document: str = ""


class Accounted(Answer):
    """What became of what was made, in one unit.

    made = on hand + in transit + shipped + consumed + destroyed + adjusted + unexplained.
    """

    uom: str = Field(description="'items', or a UN/CEFACT Rec 20 unit")
    made: Decimal = Field(description="made, or received from outside")
    received: Decimal = Field(default=Decimal(0), description="of these, what came without anybody having made it here")
    on_hand: Decimal
    in_transit: Decimal
    shipped: Decimal = Field(description="with customers, on the way to them, or sold")
    consumed: Decimal
    destroyed: Decimal
    adjusted: Decimal = Field(description="written off by counts and corrections; below nothing: found")
    unexplained: Decimal = Field(description="made less all of these; shown, never hidden")
    missing: tuple[Missing, ...] = Field(default=(), description="the unexplained part, place by place")
    percent: Decimal | None = Field(description="accounted for, of what was made; absent when nothing is known made")


Verdict = Literal["within", "outside", ""]


class Judged(Answer):
    """What nobody explained, held against the tolerance."""

    uom: str
    unexplained: Decimal
    of: Decimal = Field(description="made, or received from outside")
    verdict: Verdict = Field(description="empty: no tolerance is known, or nothing was made")


class BlindWindow(Answer):
    """An interval that could hide more."""

    subject: str
    cause: str
    from_at: datetime
    until_at: datetime | None
    lost: int | None
    detail: str


class Affected(Answer):
    """`lotstream affected LOT`: where everything of a lot is, who received some, how sure we are."""

    kind: Literal["affected"] = "affected"
    v: Literal[1] = 1
    lot: Lot
    places: tuple[Place, ...]
    quantities: tuple[QuantityPlace, ...]
    recipients: tuple[Recipient, ...]
    accounted: tuple[Accounted, ...]
    adjustments: tuple[Adjustment, ...] = Field(default=(), description="counts, in order of time")
    when_asked: int = Field(
        default=0, description="units whose sightings are no item rows of the lot: sighted, and placed when asked"
    )
    evidence: tuple[str, ...] = Field(description="the kinds of evidence behind it, strongest first")
    blind_windows: tuple[BlindWindow, ...]
    as_of: datetime | None = Field(
        default=None, description="by what had happened by then; by everything, where absent"
    )
    known_at: datetime | None = Field(default=None, description="as known at that instant; now, where absent")
    milliseconds: float


class Balance(Answer):
    """`lotstream balance LOT`: what became of everything that was made of it, in each unit and in all together."""

    kind: Literal["balance"] = "balance"
    v: Literal[1] = 1
    lot: Lot
    accounted: tuple[Accounted, ...]
    together: Accounted | None = Field(
        default=None, description="all units of measure in one, by conversions; absent where some do not convert"
    )
    adjustments: tuple[Adjustment, ...] = Field(default=(), description="counts, in order of time")
    tolerance: Decimal | None = Field(default=None, description="percent of what was made, either way")
    judged: tuple[Judged, ...] = Field(default=(), description="each line of `accounted`")
    as_of: datetime | None = Field(
        default=None, description="by what had happened by then; by everything, where absent"
    )
    known_at: datetime | None = Field(default=None, description="as known at that instant; now, where absent")
    milliseconds: float


class UnitPlace(Answer):
    """Where one unit is now."""

    tag: str
    location: str
    disposition: str
    evidence: str
    read_point: str
    last_at: datetime
    path: tuple[str, ...] = Field(description="the logistic units through which it is inferred, outermost first")
    final: bool = Field(default=True, description="whether nothing more is expected of that sighting")
    when_asked: bool = Field(default=False, description="its sightings are no item rows of the lot: placed when asked")


class Where(Answer):
    """`lotstream where LOT`: each unit of a lot."""

    kind: Literal["where"] = "where"
    v: Literal[1] = 1
    lot: Lot
    units: tuple[UnitPlace, ...]
    quantities: tuple[QuantityPlace, ...]
    truncated: bool
    as_of: datetime | None = Field(
        default=None, description="by what had happened by then; by everything, where absent"
    )
    known_at: datetime | None = Field(default=None, description="as known at that instant; now, where absent")
    milliseconds: float


class SightingRow(Answer):
    """One line of a unit's history."""

    first_at: datetime
    last_at: datetime
    read_point: str
    location: str
    disposition: str
    direction: str
    evidence: str
    state: str
    reads: int
    biz_step: str
    document: str
    line: str
    party: str
    path: tuple[str, ...]
    reader: str
    policy: int
    final: bool


class HistoryAnswer(Answer):
    """`lotstream history EPC`: everything known of where a unit was."""

    kind: Literal["history"] = "history"
    v: Literal[1] = 1
    tag: str
    lots: tuple[str, ...]
    sightings: tuple[SightingRow, ...] = Field(description="the newest of them, oldest first")
    truncated: bool = Field(default=False, description="there are older ones")
    as_of: datetime | None = Field(
        default=None, description="by what had happened by then; by everything, where absent"
    )
    known_at: datetime | None = Field(default=None, description="as known at that instant; now, where absent")
    milliseconds: float


class StockRow(Answer):
    """Stock of a lot at a location."""

    lot: str
    gtin: str
    code: str
    description: str
    expires: date | None
    best_before: date | None = None
    location: str
    disposition: str
    items: int
    amount: Decimal
    uom: str
    cases: int


class Stock(Answer):
    """`lotstream stock`."""

    kind: Literal["stock"] = "stock"
    v: Literal[1] = 1
    rows: tuple[StockRow, ...]
    as_of: datetime | None = Field(
        default=None, description="by what had happened by then; by everything, where absent"
    )
    known_at: datetime | None = Field(default=None, description="as known at that instant; now, where absent")
    milliseconds: float


class Lots(Answer):
    """`lotstream lots`."""

    kind: Literal["lots"] = "lots"
    v: Literal[1] = 1
    lots: tuple[Lot, ...]
    milliseconds: float


class Location(Answer):
    """A location of the mapping."""

    id: str
    name: str
    site: str
    time_zone: str
    gln: str
    kind: str


class Locations(Answer):
    """`lotstream locations`."""

    kind: Literal["locations"] = "locations"
    v: Literal[1] = 1
    locations: tuple[Location, ...]
    milliseconds: float


class LotEntry(Answer):
    """Something that was said or decided of a lot."""

    what: Literal["said", "taken back", "hold placed", "hold released"]
    event: str = Field(description="hash of the event or decision; claim:ID of a claim to its number")
    at: datetime
    recorded_at: datetime
    by: str = Field(description="who, where a person did")
    reason: str
    said: dict[str, str]


class LotShown(Answer):
    """`lotstream lot show LOT`: what the lot is, and with `--history` who said what of it, when and why."""

    kind: Literal["lot"] = "lot"
    v: Literal[1] = 1
    lot: Lot
    history: tuple[LotEntry, ...] = Field(default=(), description="in order of receipt")
    as_of: datetime | None = Field(
        default=None, description="by what had happened by then; by everything, where absent"
    )
    known_at: datetime | None = Field(default=None, description="as known at that instant; now, where absent")
    milliseconds: float


class DocumentLine(Answer):
    """A line of a document, as an event referred to it, or as it was written."""

    line: str
    biz_step: str = Field(description="what an event did on the line; empty: as it was written")
    at: datetime
    lot: str = Field(description="lot key; of a written line also 01/<gtin14>; empty: the units")
    units: tuple[str, ...]
    amount: Decimal | None
    uom: str
    from_party: str
    to_party: str
    from_location: str
    to_location: str
    event: str


class LinkedDocument(Answer):
    """A document of the same business."""

    document: str = Field(description="type:number")
    steps: int = Field(description="1: linked to the document itself; 2: to one that is; ...")
    before: str = Field(description="the document that links it")
    via: Literal["event", "reference"] = Field(description="one event names both, or one refers to the other")
    event: str = Field(description="hash of that event or of what was written")


class Document(Answer):
    """A document with its lines."""

    document: str = Field(description="type:number")
    type: str = Field(description="CBV business transaction type")
    number: str
    at: datetime | None = Field(description="its date; where it was not written down, of the first event that names it")
    from_party: str
    to_party: str
    cancelled: bool = False
    lines: tuple[DocumentLine, ...]
    linked: tuple[LinkedDocument, ...] = Field(description="nearest first")


class Documents(Answer):
    """`lotstream documents NUMBER`: what is on it, line by line, and which documents belong to it."""

    kind: Literal["documents"] = "documents"
    v: Literal[1] = 1
    documents: tuple[Document, ...]
    truncated: bool = Field(default=False, description="there are more lines")
    as_of: datetime | None = Field(
        default=None, description="by what had happened by then; by everything, where absent"
    )
    known_at: datetime | None = Field(default=None, description="as known at that instant; now, where absent")
    milliseconds: float


class Problem(Answer):
    """Instead of an answer, with `--json`: why there is none."""

    kind: Literal["problem"] = "problem"
    v: Literal[1] = 1
    error: Literal[
        "lot_missing",
        "lot_ambiguous",
        "unit_missing",
        "location_missing",
        "document_missing",
        "case_missing",
        "figure_missing",
        "identifier_invalid",
        "clickhouse_away",
    ]
    detail: str = Field(description="one line for people: what was expected, what came, what to do")
    near: tuple[str, ...] = Field(default=(), description="known names like the one that was asked for")
    candidates: tuple[str, ...] = Field(default=(), description="what an ambiguous name can mean, as lot keys")


ANSWERS: tuple[type[Answer], ...] = (
    Affected,
    Balance,
    Where,
    HistoryAnswer,
    Stock,
    Lots,
    Locations,
    LotShown,
    Documents,
    Problem,
)
