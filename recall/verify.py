"""Where the units of a lot are, decided again from the facts alone, and compared with what the item rows say.

The item rows (`lot_sightings`) are what the stream derived from sightings and bindings. Here the same is derived from
the tables of these facts, without the SQL of the answers: what differs is a fault of either, and is shown.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from pydantic import Field

from lotstream.recall.answers import Answer
from lotstream.recall.store import History, Row
from lotstream.schemas.identifiers import split_lot_key
from lotstream.schemas.identity import Binding
from lotstream.schemas.sightings import How, Mark, State

ALL = 2**32 - 1
LATE = "late:"
# tag, slot, instant of the last read -> [(lot, whether it is retracted there)]
Whose = Callable[[str, int, int], Iterable[tuple[str, bool]]]


class UnitDiffers(Answer):
    """A unit of which item rows and facts tell otherwise. None: they do not know it to be of this lot."""

    tag: str
    rows: tuple[str, ...] | None = Field(description="location, disposition, evidence, read point, path by item rows")
    facts: tuple[str, ...] | None = Field(description="the same by the facts")


class LotVerified(Answer):
    """What became of one lot."""

    lot: str
    units: int = Field(description="units compared")
    sightings: int = Field(description="versions of sightings that the facts are")
    differences: tuple[UnitDiffers, ...]


class Verified(Answer):
    """`lotstream verify`: item rows against facts."""

    kind: Literal["verify"] = "verify"
    v: Literal[1] = 1
    equal: bool
    lots: tuple[LotVerified, ...]


class _Fact(NamedTuple):
    """A fact of a lot at its highest version; of equal versions the retracted one holds."""

    version: tuple[int, ...]
    retracted: bool
    row: Row


def sample(history: History, count: int) -> list[str]:
    """Lots by chance. Raises ClickhouseAway."""
    return [row["lot"] for row in history.ask("verify_sample", limit=count)]


def bindings_of(history: History, lot: str) -> list[tuple[Binding, int]]:
    """Every binding fact that decides on units of a lot, with its offset. Raises ClickhouseAway."""
    rows = history.ask("verify_bindings", lot=lot, of_class=f"01/{split_lot_key(lot)[0]}")
    return [(Binding(*list(row.values())[:-1]), row["source_offset"]) for row in rows]


def verify_lot(history: History, lot: str, whose: Whose) -> LotVerified:
    """Compare one lot; ``whose`` decides by the bindings. Raises ClickhouseAway."""
    facts = history.ask("verify_sightings", lot=lot, of_class=f"01/{split_lot_key(lot)[0]}")
    told = {row["tag"]: _told(row) for row in history.ask("units", lot=lot, limit=ALL)}
    found = {tag: _told(row) for tag, row in places(lot, facts, whose).items()}
    return LotVerified(
        lot=lot,
        units=len(told.keys() | found.keys()),
        sightings=len(facts),
        differences=tuple(
            UnitDiffers(tag=tag, rows=told.get(tag), facts=found.get(tag))
            for tag in sorted(told.keys() | found.keys())
            if told.get(tag) != found.get(tag)
        ),
    )


def places(lot: str, facts: Iterable[Row], whose: Whose) -> dict[str, Row]:
    """The sighting that says where each unit of a lot is. Pure."""
    highest: dict[str, dict[tuple[Any, ...], _Fact]] = {}
    for row in facts:
        for other, retracted in whose(row["tag"], row["slot"], row["last_us"]):
            if other == lot:
                fact = _Fact(tuple(row["version"]), retracted or bool(row["marks"] & Mark.RETRACTED), row)
                key = row["read_point"], row["slot"], row["lane"], row["origin"], tuple(row["path"])
                of_tag = highest.setdefault(row["tag"], {})
                of_tag[key] = max(fact, of_tag.get(key, fact), key=lambda fact: fact[:2])
    decided = ((tag, _newest(of_tag)) for tag, of_tag in highest.items())
    return {tag: row for tag, row in decided if row is not None}


def _newest(of_tag: Mapping[tuple[Any, ...], _Fact]) -> Row | None:
    """Of the newest slot the strongest evidence, then the newest read; a late lane counts while there is no other."""
    main = {key[:2] for key, fact in of_tag.items() if key[2] == "" and not fact.retracted}
    placing = [
        fact.row
        for key, fact in of_tag.items()
        if not fact.retracted
        and fact.row["state"] == State.OBSERVED
        and not (key[2].startswith(LATE) and key[:2] in main)
    ]
    return max(placing, key=_rank, default=None)


def _rank(row: Row) -> tuple[Any, ...]:
    path = tuple(row["path"])
    return row["slot"], -row["evidence"], row["last_us"], row["read_point"], row["lane"], row["origin"], path


def _told(row: Row) -> tuple[str, ...]:
    evidence = row["evidence"]
    word = evidence if isinstance(evidence, str) else How(evidence).name.lower()
    return row["location"], row["disposition"], word, row["read_point"], "/".join(row["path"])
