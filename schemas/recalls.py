"""What people decide of a recall case: opened, its scope said, initiated, closed. Sent to POST /decisions like a hold.

A case is the set of these decisions in the order of the log (recall/case.py); none is ever changed.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from lotstream.schemas.base import Key, Micros, Name, Wire
from lotstream.schemas.lots import Serial

CaseName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$", description="letters, digits, . _ -")]
Ranges = tuple[tuple[Serial, Serial], ...]


def _forward(serials: Ranges) -> Ranges:
    if any(first > last for first, last in serials):
        raise ValueError("serial ranges with first <= last")
    return serials


Serials = Annotated[Ranges, Field(max_length=1000, description="ranges first..last, numeric"), AfterValidator(_forward)]
Gtin = Annotated[str, Field(pattern=r"^[0-9]{14}$")]


class CaseKind(StrEnum):
    """A recall reaches consumers, a withdrawal those who sell, a stock recovery what has not left us."""

    RECALL = "recall"
    WITHDRAWAL = "withdrawal"
    STOCK_RECOVERY = "stock_recovery"


class Window(Wire):
    """From an instant until before another."""

    from_us: Micros
    until_us: Micros

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.from_us >= self.until_us:
            raise ValueError("a beginning before the end")
        return self


class LotClause(Wire):
    """A lot, or these serials of it."""

    kind: Literal["lot"] = "lot"
    lot: Key
    serials: Serials = ()


class SerialsClause(Wire):
    """Serials of a product, whatever lots they are of."""

    kind: Literal["serials"] = "serials"
    gtin: Gtin
    serials: Serials = Field(min_length=1)


class UnitClause(Wire):
    """A unit; of a logistic unit all that was inside it, at any time or within a window."""

    kind: Literal["unit"] = "unit"
    unit: Key
    window: Window | None = None


class ProducedClause(Wire):
    """The lots that were made at a site or location within a window, on one line or on any."""

    kind: Literal["produced"] = "produced"
    site: Name
    line: str = Field(default="", max_length=200)
    window: Window


class SupplierClause(Wire):
    """The lots that bear a supplier's own code."""

    kind: Literal["supplier_lot"] = "supplier_lot"
    code: Name


class IngredientClause(Wire):
    """A lot that went into others, goods or packaging, and everything that was made from it."""

    kind: Literal["ingredient"] = "ingredient"
    lot: Key
    depth: int | None = Field(default=None, ge=1, le=100, description="steps of process; absent: all")


class ExposedClause(Wire):
    """Everything that was at a location at any time within a window, or what of one lot was."""

    kind: Literal["exposed"] = "exposed"
    location: Name
    window: Window
    lot: str = Field(default="", max_length=400, description="lot key; empty: of every lot")


Clause = Annotated[
    LotClause | SerialsClause | UnitClause | ProducedClause | SupplierClause | IngredientClause | ExposedClause,
    Field(discriminator="kind"),
]
Clauses = Annotated[tuple[Clause, ...], Field(max_length=1000)]


class Opened(Wire):
    """A case begins, as a draft."""

    step: Literal["open"] = "open"
    kind: CaseKind = CaseKind.RECALL
    mock: bool = Field(default=False, description="an exercise: it holds nothing, and its clock runs")
    title: str = Field(default="", max_length=200)
    team: tuple[Name, ...] = Field(default=(), max_length=50)


class ScopeSaid(Wire):
    """Clauses that are in the scope from now on, those that are taken out of it, and those that are dropped again."""

    step: Literal["scope"] = "scope"
    include: Clauses = ()
    exclude: Clauses = ()
    drop: Clauses = ()

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.include or self.exclude or self.drop):
            raise ValueError("a clause")
        return self


class Initiated(Wire):
    """The scope is in force: what is in it must not move on."""

    step: Literal["initiate"] = "initiate"


class Closed(Wire):
    """The case ends. ``release_all`` or ``release`` say which of its holds end with it; the others stay."""

    step: Literal["close"] = "close"
    release_all: bool = False
    release: tuple[Key, ...] = Field(default=(), max_length=10_000, description="lot keys")
    corrective: tuple[Annotated[str, Field(min_length=1, max_length=500)], ...] = Field(
        default=(), max_length=100, description="corrective actions"
    )


Deed = Annotated[Opened | ScopeSaid | Initiated | Closed, Field(discriminator="step")]


class RecallContent(Wire):
    """A step in the life of a recall case."""

    kind: Literal["recall"] = "recall"
    case: CaseName
    deed: Deed
    by: Name = Field(description="who decided")
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    at_us: Micros | None = Field(default=None, description="when it was decided; absent: when it arrived")
