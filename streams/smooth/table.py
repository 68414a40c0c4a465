"""Sums of runs in columns, a row per run: reports and times of the two sides, then reads and strengths per antenna."""

from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from lotstream.schemas.base import NOT_REPORTED
from lotstream.schemas.reads import Ints

ANTENNAS = 256
SIDES = 4  # columns before the antennas': inner reports, inner times, outer reports, outer times
PER_ANTENNA = 3  # reads, sum of RSSI, reports with RSSI
_START = 1_024


class Told(NamedTuple):
    """A run's sums as they are published: antenna, reads, mean RSSI (rounded half up) in one list; and its sides."""

    strengths: list[int]
    sides: list[int]


class Table:
    """Rows that only add up. An antenna gets its columns when it is first seen."""

    __slots__ = ("_antennas", "_columns", "_free", "_rows", "_sorted", "column")

    def __init__(self) -> None:
        self.column: Ints = np.full(ANTENNAS, -1, np.int64)  # antenna -> its first column
        self._antennas: list[int] = []
        self._sorted: list[int] = []
        self._columns: Ints = np.zeros(0, np.int64)  # of the antennas, sorted
        self._rows: Ints = np.zeros((_START, SIDES), np.int64)
        self._free = list(range(_START - 1, -1, -1))

    @property
    def width(self) -> int:
        """Columns of a row."""
        return int(self._rows.shape[1])

    def columns_of(self, antennas: Ints) -> Ints:
        """The first column of each antenna; antennas not seen before get theirs."""
        columns = self.column[antennas]
        if int(np.minimum.reduce(columns)) < 0:
            self._know(antennas)
            columns = self.column[antennas]
        return columns

    def _know(self, antennas: Ints) -> None:
        for antenna in sorted(set(antennas.tolist()) - set(self._antennas)):
            self.column[antenna] = SIDES + PER_ANTENNA * len(self._antennas)
            self._antennas.append(antenna)
        self._sorted = sorted(self._antennas)
        self._columns = np.array([self.column[each] + i for each in self._sorted for i in range(PER_ANTENNA)], np.int64)
        wider = np.zeros((len(self._rows), SIDES + PER_ANTENNA * len(self._antennas)), np.int64)
        wider[:, : self.width] = self._rows
        self._rows = wider

    def take(self) -> int:
        """A row of zeros."""
        if not self._free:
            had = len(self._rows)
            self._rows = np.concatenate((self._rows, np.zeros_like(self._rows)))
            self._free.extend(range(2 * had - 1, had - 1, -1))
        return self._free.pop()

    def give_back(self, rows: list[int]) -> None:
        """Rows that nobody wants any more."""
        if not rows:
            return
        self._rows[rows] = 0
        self._free.extend(rows)

    def add(self, rows: list[int], sums: Ints) -> None:
        """Add sums[i] to row rows[i]; a row may come twice."""
        at = np.array(rows, np.intp)
        if len(set(rows)) == len(rows):
            self._rows[at] += sums
        else:
            np.add.at(self._rows, at, sums)

    def merge(self, row: int, other: int) -> None:
        """Add one row to another and give it back."""
        self._rows[row] += self._rows[other]
        self.give_back([other])

    def sides(self, row: int) -> list[int]:
        """Inner reports, inner times, outer reports, outer times of a run."""
        sides: list[int] = self._rows[row, :SIDES].tolist()
        return sides

    def strength(self, rows: list[int]) -> tuple[int, int]:
        """Sum of RSSI, and reports with one, of some runs over all antennas."""
        sums: Ints = self._rows[rows, SIDES:].sum(axis=0)
        return int(sums[1::PER_ANTENNA].sum()), int(sums[2::PER_ANTENNA].sum())

    def told(self, rows: list[int]) -> list[Told]:
        """What is published of each run."""
        part: Ints = self._rows[rows]
        by_antenna: Ints = part[:, self._columns]
        reads, rssi, reports = by_antenna[:, 0::3], by_antenna[:, 1::3], by_antenna[:, 2::3]
        told = np.empty(by_antenna.shape, np.int64)
        told[:, 0::3] = self._sorted
        told[:, 1::3] = reads
        if reports.all():
            told[:, 2::3] = (2 * rssi + reports) // (2 * reports)
        else:
            mean = (2 * rssi + reports) // np.maximum(2 * reports, 1)
            told[:, 2::3] = np.where(reports > 0, mean, NOT_REPORTED)
        lists = cast(list[list[int]], told.tolist())
        if not reads.all():
            for i in np.flatnonzero(~reads.all(axis=1)).tolist():
                lists[i] = told[i].reshape(-1, PER_ANTENNA)[reads[i] > 0].ravel().tolist()
        sides: list[list[int]] = part[:, :SIDES].tolist()
        return list(map(Told, lists, sides))


def weighted(at: Ints, weights: NDArray[np.generic], *, size: int) -> Ints:
    """Sums of whole numbers by index (float64 is exact below 2**53)."""
    return np.bincount(at, weights, size).astype(np.int64)
