"""sightings.v1 (by tag) and lot-sightings.v1 (by lot): sightings in columns, many rows a message.

Fact key of a sighting: (tag, read point, slot, lane, origin, path). Within one key the higher version wins.
"""

from collections.abc import Iterable, Sequence
from enum import IntEnum, IntFlag
from functools import cached_property
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, TypeAdapter, model_validator

from lotstream.schemas.base import LATEST_US, MAX_DEPTH, Key, Micros, Wire, decode, dump
from lotstream.schemas.coding import coded, used
from lotstream.schemas.unit_lots import UnitLotsBatch
from lotstream.schemas.unit_parents import UnitParentsBatch

MAX_ROWS = 20_000


class State(IntEnum):
    """How sure one slot's reads are (ALE's words); a scan and a declaration are observed at once."""

    GLIMPSED = 0
    OBSERVED = 1
    CROSS_READ = 2


class Direction(IntEnum):
    """Through the read point, by the order of its two sides; unknown when one side is missing."""

    UNKNOWN = 0
    INWARD = 1
    OUTWARD = 2


class Mark(IntFlag):
    """What else is true of a sighting's version."""

    NONE = 0
    FINAL = 1
    CONTINUES_BEFORE = 2
    CONTINUES_AFTER = 4
    RETRACTED = 8
    LATE = 16
    ELSEWHERE = 32  # with RETRACTED: it holds, and its unit was then of another lot than the one it is told to


class How(IntEnum):
    """schemas.base.Evidence as a column value; the lower, the stronger."""

    CONFIRMED = 0
    INFERRED = 1
    DECLARED = 2
    PROBABILISTIC = 3


class Context(NamedTuple):
    """Where and by which rules a sighting was made: shared by many rows."""

    read_point: str
    reader: str  # '' when declared
    policy: int
    mapping: int


class Declaration(NamedTuple):
    """The business event behind a declared sighting, and the document line it stands on."""

    event: str  # event hash
    biz_step: str  # CBV word
    disposition: str  # CBV word, '' when none
    document: str  # 'type:number', '' when none
    line: str
    party: str  # who receives, owning or possessing party; '' when nobody is named


NO_DECLARATION = Declaration("", "", "", "", "", "")


class Form(NamedTuple):
    """What many sightings of a message have in common: where, how sure, and by which way it is known."""

    context: Context
    location: str
    declaration: Declaration
    lane: str  # '' main; 'late:<offset>'; 'event:<hash>' declared
    origin: str  # '' direct; else the tag whose sighting this one was inferred from
    path: tuple[str, ...]  # parents from the origin down to the tag's own parent
    state: int
    direction: int
    marks: int
    how: int


class Edition(NamedTuple):
    """What made this version of a sighting, and when that was received."""

    version: tuple[int, ...]  # epoch, offset in reads.v1 or events.v1, then one identity.v1 offset per hop
    recorded_us: int


class Sighting(NamedTuple):
    """One version of one sighting. Times in us; strength per antenna inside ``runs``.

    ``runs`` holds one flat list of ints per run of reads: first, last, count, then for each antenna:
    antenna, reads, mean RSSI in 0.01 dBm (base.NOT_REPORTED without one).
    """

    tag: str
    form: Form
    edition: Edition
    slot: int
    first_us: int
    last_us: int
    reads: int
    runs: Sequence[Sequence[int]] = ()

    @property
    def version(self) -> tuple[int, ...]:
        """Of two versions of one fact the higher holds."""
        return self.edition.version

    @property
    def marks(self) -> int:
        """See Mark."""
        return self.form.marks

    @property
    def fact(self) -> tuple[str, str, int, str, str, tuple[str, ...]]:
        """The key of the fact that this is a version of."""
        form = self.form
        return (self.tag, form.context.read_point, self.slot, form.lane, form.origin, form.path)

    def retracted(self) -> "Sighting":
        """The same version, taken back."""
        return self._marked(Mark.RETRACTED)

    def elsewhere(self) -> "Sighting":
        """The same version, as a lot is told that it is of another's unit; taken back it is so for every lot."""
        return self if self.marks & Mark.RETRACTED else self._marked(Mark.RETRACTED | Mark.ELSEWHERE)

    def _marked(self, marks: Mark) -> "Sighting":
        return self._replace(form=self.form._replace(marks=int(self.form.marks | marks)))


def sighting_of(
    tag: str,
    *,
    context: Context,
    location: str,
    slot: int,
    version: tuple[int, ...],
    first_us: int,
    last_us: int,
    recorded_us: int,
    reads: int = 0,
    state: int = int(State.OBSERVED),
    direction: int = int(Direction.UNKNOWN),
    marks: int = int(Mark.FINAL),
    how: int = int(How.CONFIRMED),
    lane: str = "",
    origin: str = "",
    path: tuple[str, ...] = (),
    declaration: Declaration = NO_DECLARATION,
    runs: Sequence[Sequence[int]] = (),
) -> Sighting:
    """A sighting from its parts."""
    form = Form(context, location, declaration, lane, origin, path, state, direction, marks, how)
    return Sighting(tag, form, Edition(version, recorded_us), slot, first_us, last_us, reads, runs)


class LotSighting(NamedTuple):
    """A sighting of a unit of a lot, with the binding that says so."""

    lot: str
    binding: int  # identity.v1 offset of the unit's newest lot binding
    relabelled: int  # -1; else the binding version by which another lot handed it over (loop 2)
    sighting: Sighting  # its runs do not travel


_Column = Annotated[list[int], Field(max_length=MAX_ROWS)]
_Index = Annotated[int, Field(ge=0)]
_Form = tuple[
    _Index,
    str,
    _Index,
    str,
    str,
    Annotated[tuple[str, ...], Field(max_length=MAX_DEPTH)],
    Annotated[int, Field(ge=0, le=2)],
    Annotated[int, Field(ge=0, le=2)],
    Annotated[int, Field(ge=0, le=63)],
    Annotated[int, Field(ge=0, le=3)],
]
_Edition = tuple[Annotated[tuple[int, ...], Field(min_length=2, max_length=2 + MAX_DEPTH)], Micros]


class _Columns(Wire):
    """What both batches have: row i of every column is sighting i; what repeats is an index into its dictionary."""

    v: Literal[1] = 1
    contexts: list[tuple[str, str, int, int]] = Field(description="read point, reader, policy, mapping")
    declarations: list[tuple[str, str, str, str, str, str]] = Field(
        description="event hash, biz step, disposition, document, line, party"
    )
    forms: Annotated[list[_Form], Field(max_length=MAX_ROWS)] = Field(
        description="context, location, declaration, lane, origin, path, state, direction, marks, how"
    )
    editions: Annotated[list[_Edition], Field(max_length=MAX_ROWS)] = Field(description="version, recorded_us")
    tag: Annotated[list[Key], Field(min_length=1, max_length=MAX_ROWS)]
    form: _Column
    edition: _Column
    slot: _Column
    first_us: _Column
    last_us: _Column
    reads: _Column

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        n = len(self.tag)
        for name in Sighting._fields[1:-1]:
            column = getattr(self, name)
            if len(column) != n:
                raise ValueError(f"column {name} of {n} values, got {len(column)}")
            if min(column) < 0:
                raise ValueError(f"column {name} of values from 0, got {min(column)}")
        for name, dictionary in (("form", self.forms), ("edition", self.editions)):
            if max(getattr(self, name)) >= len(dictionary):
                raise ValueError(f"indices of {name} within its dictionary")
        for name in ("first_us", "last_us"):
            if max(getattr(self, name)) > LATEST_US:
                raise ValueError(f"times of {name} before 2100, got {max(getattr(self, name))}")
        for context, _, declaration, *_ in self.forms:
            if context >= len(self.contexts) or declaration >= len(self.declarations):
                raise ValueError("indices of forms within their dictionaries")
        return self

    @property
    def _runs(self) -> Sequence[Sequence[Sequence[int]]]:
        return [()] * len(self.tag)

    @cached_property
    def form_values(self) -> list[Form]:
        """The forms as values."""
        contexts = [Context(*values) for values in self.contexts]
        declarations = [Declaration(*values) for values in self.declarations]
        return [Form(contexts[form[0]], form[1], declarations[form[2]], *form[3:]) for form in self.forms]

    @cached_property
    def edition_values(self) -> list[Edition]:
        """The editions as values."""
        return [Edition(*values) for values in self.editions]

    def rows(self) -> list[Sighting]:
        """The sightings as values."""
        forms, editions = self.form_values, self.edition_values
        columns = (
            self.tag, [forms[i] for i in self.form], [editions[i] for i in self.edition], self.slot, self.first_us,
            self.last_us, self.reads, self._runs,
        )  # fmt: skip
        return list(map(Sighting._make, zip(*columns, strict=True)))


class SightingBatch(_Columns):
    """Sightings in columns, each with its runs of reads."""

    kind: Literal["sightings"] = "sightings"
    runs: list[list[list[int]]]

    @model_validator(mode="after")
    def _runs_consistent(self) -> Self:
        if len(self.runs) != len(self.tag):
            raise ValueError(f"column runs of {len(self.tag)} values, got {len(self.runs)}")
        return self

    @property
    def _runs(self) -> Sequence[Sequence[Sequence[int]]]:
        return self.runs


class LotSightingBatch(_Columns):
    """Sightings of units of lots, in columns; ``lot`` is an index into ``lots``.

    The runs stay with the sighting of the tag (sightings.v1): where a unit of a lot is does not depend on them.
    """

    kind: Literal["lot_sightings"] = "lot_sightings"
    lots: list[Key]
    lot: _Column
    binding: _Column
    relabelled: _Column

    @model_validator(mode="after")
    def _lots_consistent(self) -> Self:
        n = len(self.tag)
        if not len(self.lot) == len(self.binding) == len(self.relabelled) == n:
            raise ValueError(f"columns lot, binding, relabelled of {n} values")
        if min(self.lot) < 0 or max(self.lot) >= len(self.lots):
            raise ValueError("indices of lot within its dictionary")
        return self

    def lot_rows(self) -> list[LotSighting]:
        """The sightings as values, each with its lot."""
        columns = ([self.lots[i] for i in self.lot], self.binding, self.relabelled, self.rows())
        return list(map(LotSighting._make, zip(*columns, strict=True)))


class Named(NamedTuple):
    """Some rows of a batch by their numbers, and of each the lot and the binding that says so."""

    rows: list[int]
    lots: list[str]
    bindings: list[int]


_LOT_COLUMNS = ("lot", "binding", "relabelled", *Sighting._fields[:-1])


class SightingRows:
    """Sightings on their way out: the rows of one message, coalesced until it is sent."""

    __slots__ = ("rows",)

    def __init__(self, rows: Iterable[Sighting] = ()) -> None:
        self.rows = list(rows)

    def __len__(self) -> int:
        return len(self.rows)

    def extend(self, other: "SightingRows") -> None:
        """Take the rows of another message for the same partition."""
        self.rows.extend(other.rows)

    def encode(self) -> bytes:
        """The value of a SightingBatch message."""
        return dump({"kind": "sightings", "v": 1, **_columns(self.rows)})


class LotSightingRows:
    """Sightings of lots on their way out, in columns; forms and editions are indices, as in a batch."""

    __slots__ = ("_columns", "_editions", "_forms")

    def __init__(self, rows: Iterable[LotSighting] = ()) -> None:
        self._columns: list[list[Any]] = [[] for _ in _LOT_COLUMNS]
        self._forms: list[Form] = []
        self._editions: list[Edition] = []
        for lot, binding, relabelled, (tag, form, edition, *numbers, _) in rows:
            own = len(self._forms), len(self._editions)
            self._forms.append(form)
            self._editions.append(edition)
            for column, value in zip(self._columns, (lot, binding, relabelled, tag, *own, *numbers), strict=True):
                column.append(value)

    @classmethod
    def of(cls, batch: SightingBatch, some: Named) -> Self:
        """Some rows of a batch as a lot's each; their runs stay behind."""
        taken = cls()
        given = (batch.tag, batch.form, batch.edition, batch.slot, batch.first_us, batch.last_us, batch.reads)
        said = ([column[row] for row in some.rows] for column in given)
        taken._columns = [some.lots, some.bindings, [-1] * len(some.rows), *said]
        taken._forms, taken._editions = batch.form_values, batch.edition_values
        return taken

    def __len__(self) -> int:
        return len(self._columns[0])

    def extend(self, other: "LotSightingRows") -> None:
        """Take the rows of another message for the same partition."""
        forms, editions = len(self._forms), len(self._editions)
        self._forms, self._editions = self._forms + other._forms, self._editions + other._editions
        for name, own, more in zip(_LOT_COLUMNS, self._columns, other._columns, strict=True):
            before = forms if name == "form" else editions if name == "edition" else 0
            own += [index + before for index in more] if before else more

    def encode(self) -> bytes:
        """The value of a LotSightingBatch message."""
        columns: dict[str, Any] = dict(zip(_LOT_COLUMNS, self._columns, strict=True))
        forms, columns["form"] = used(self._forms, columns["form"])
        editions, columns["edition"] = used(self._editions, columns["edition"])
        columns["lots"], columns["lot"] = coded(columns["lot"])
        return dump({"kind": "lot_sightings", "v": 1, **columns, **_dictionaries(forms, editions)})


def _columns(rows: Sequence[Sighting]) -> dict[str, Any]:
    columns: dict[str, Any] = dict(zip(Sighting._fields, zip(*rows, strict=True), strict=True))
    forms, columns["form"] = coded(columns["form"])
    editions, columns["edition"] = coded(columns["edition"])
    return columns | _dictionaries(forms, editions)


def _dictionaries(forms: Sequence[Form], editions: Sequence[Edition]) -> dict[str, Any]:
    """What the columns form and edition are indices into."""
    contexts, context = coded(form.context for form in forms)
    declarations, declaration = coded(form.declaration for form in forms)
    # plain tuples: orjson takes no subclass
    return {
        "forms": [(i, form[1], j, *form[3:]) for form, i, j in zip(forms, context, declaration, strict=True)],
        "editions": [tuple(edition) for edition in editions],
        "contexts": [tuple(value) for value in contexts],
        "declarations": [tuple(value) for value in declarations],
    }


TagMessage = SightingBatch | UnitParentsBatch
_TAG_MESSAGES: TypeAdapter[TagMessage] = TypeAdapter(Annotated[TagMessage, Field(discriminator="kind")])
LotMessage = LotSightingBatch | UnitLotsBatch | UnitParentsBatch
_LOT_MESSAGES: TypeAdapter[LotMessage] = TypeAdapter(Annotated[LotMessage, Field(discriminator="kind")])


def decode_sightings(value: bytes | None) -> list[Sighting]:
    """The sightings in a message of sightings.v1; none when it tells what units are in. Raises Rejected."""
    message = decode_tag_message(value)
    return message.rows() if isinstance(message, SightingBatch) else []


def decode_tag_message(value: bytes | None) -> TagMessage:
    """A message of sightings.v1 in its columns. Raises Rejected."""
    return decode(_TAG_MESSAGES, value)


def decode_lot_sightings(value: bytes | None) -> list[LotSighting]:
    """The sightings in a message of lot-sightings.v1; none when it tells of units. Raises Rejected."""
    message = decode_lot_message(value)
    return message.lot_rows() if isinstance(message, LotSightingBatch) else []


def decode_lot_message(value: bytes | None) -> LotMessage:
    """A message of lot-sightings.v1 in its columns. Raises Rejected."""
    return decode(_LOT_MESSAGES, value)
