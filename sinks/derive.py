"""Item rows (`lot_sightings`) of sightings that came from an archive: whose each is, is decided again by the bindings.

They stand behind every row that the stream writes or has written: binding 0 is below each real one, so that what the
stream says of the same version of a fact holds.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from lotstream.schemas.identity import Binding
from lotstream.schemas.partitions import partition_of
from lotstream.schemas.sightings import Mark
from lotstream.sinks.manifest import Vector
from lotstream.sinks.parquet import ParquetStore
from lotstream.sinks.rows import COLUMNS, Row, columns_of
from lotstream.sinks.store import Store

ROWS = 100_000
# tag, slot, instant of the last read -> [(lot, whether it is retracted there)]
Whose = Callable[[str, int, int], Iterable[tuple[str, bool]]]
Decide = Callable[[Iterable[tuple[Binding, int]]], Whose]

_OWN = COLUMNS["lot_sightings"][3:-2]
_INSTANTS = frozenset({"first_at", "last_at", "recorded_at"})
_WORDS = frozenset({"state", "direction", "evidence"})
_TAG, _SLOT, _LAST, _MARKS = (_OWN.index(name) for name in ("tag", "slot", "last_at", "marks"))


def derive_lot_sightings(store: ParquetStore, into: Store, *, passed: Vector, partitions: int, decide: Decide) -> int:
    """Write the item rows of all sightings below the vector; how many. Partition by partition, as the stream has it."""
    written = 0
    for number, offset in passed.get("sightings.v1", {}).items():
        whose = decide(_bindings(store, number))
        rows: list[Row] = []
        for row in _sightings(store, number, below=offset):
            for lot, retracted in whose(row[_TAG], row[_SLOT], row[_LAST]):
                marks = row[_MARKS] | (Mark.RETRACTED if retracted else 0)
                rows.append((lot, 0, -1, *row[:_MARKS], marks, *row[_MARKS + 1 :], partition_of(lot, partitions), 0))
            if len(rows) >= ROWS:
                written += _insert(into, rows)
        written += _insert(into, rows)
    return written


def _insert(into: Store, rows: list[Row]) -> int:
    count = len(rows)
    if rows:
        into.insert("lot_sightings", columns_of(rows), names=COLUMNS["lot_sightings"])
        rows.clear()
    return count


def _bindings(store: ParquetStore, number: int) -> Iterator[tuple[Binding, int]]:
    """Of one unit each: those of its partition. Of serial ranges all: a range lies in several, its row in one."""
    for row in store.rows(
        "SELECT toInt8(relation), subject, first_serial, last_serial, object, toInt8(action),"  # noqa: S608 - our own names and numbers
        " toUnixTimestamp64Micro(at), event, toUInt8(retracted), toUnixTimestamp64Micro(recorded_at), source_offset"
        f" FROM {store.database}.bindings"
        f" WHERE relation = 'lot' AND (source_partition = {number} OR first_serial >= 0)"
    ):
        yield Binding(*row[:-1]), row[-1]


def _sightings(store: ParquetStore, number: int, *, below: int) -> Iterator[Sequence[Any]]:
    return store.rows(
        f"SELECT {', '.join(map(_plain, _OWN))} FROM {store.database}.sightings"  # noqa: S608 - our own names and numbers
        f" WHERE source_partition = {number} AND source_offset < {below}"
    )


def _plain(column: str) -> str:
    """A column as the sinks write it: instants and words as numbers."""
    if column in _INSTANTS:
        return f"toUnixTimestamp64Micro({column})"
    return f"toInt8({column})" if column in _WORDS else column
