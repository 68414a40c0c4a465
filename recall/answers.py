"""The answers, as programs read them: each has a published JSON Schema (docs/schemas)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Frozen; serialised by `--json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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
    status: str = "active"


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


class Accounted(Answer):
    """How much of what was made the facts explain, in one unit."""

    uom: str = Field(description="'items', or a UN/CEFACT Rec 20 unit")
    made: Decimal
    on_hand: Decimal
    in_transit: Decimal
    gone: Decimal = Field(default=Decimal(0), description="consumed, sold or destroyed, as facts say")
    unexplained: Decimal = Field(description="made - on hand - in transit - gone; shown, never hidden")
    percent: Decimal | None = Field(description="accounted for, of what was made; absent when nothing is known made")


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
    evidence: tuple[str, ...] = Field(description="the kinds of evidence behind it, strongest first")
    blind_windows: tuple[BlindWindow, ...]
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


class Problem(Answer):
    """Instead of an answer, with `--json`: why there is none."""

    kind: Literal["problem"] = "problem"
    v: Literal[1] = 1
    error: Literal[
        "lot_missing", "lot_ambiguous", "unit_missing", "location_missing", "identifier_invalid", "clickhouse_away"
    ]
    detail: str = Field(description="one line for people: what was expected, what came, what to do")
    near: tuple[str, ...] = Field(default=(), description="known names like the one that was asked for")
    candidates: tuple[str, ...] = Field(default=(), description="what an ambiguous name can mean, as lot keys")


ANSWERS: tuple[type[Answer], ...] = (Affected, Where, HistoryAnswer, Stock, Lots, Locations, Problem)
