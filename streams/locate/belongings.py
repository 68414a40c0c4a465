"""Whose the units are that were, or seemed to be, of several lots, of none, or of one too late: told by resolve.

A statement is about serials of one neighbourhood, or about one unit. What is kept is the highest binding of each; a
unit asks the statements that name it, and the highest of these holds.
"""

from itertools import islice, takewhile

import orjson

from lotstream.schemas.unit_lots import Life, UnitLots
from lotstream.streams.locate.unit import Told
from lotstream.streams.serials import NOT_NUMERIC, serial_of

PREFIX = b"L"
BLOCK_BITS = 12  # as in schemas.partitions: no statement spans two neighbourhoods

AT_ONCE = 64
Piece = tuple[str, int, int]  # subject, first, last


class Belongings:
    """All statements of one partition."""

    def __init__(self) -> None:
        self._lots: dict[str, dict[str, dict[Piece, Told]]] = {}  # lot -> neighbourhood or unit -> statements
        self._dirty: dict[bytes, bytes | None] = {}
        self._ends: dict[tuple[str, Piece], int] = {}  # statements that only tell of an end, and when they came

    def knows(self, lot: str) -> bool:
        """Whether anything was told to a lot."""
        return lot in self._lots

    def of(self, lot: str, tag: str) -> Told | None:
        """Whose a unit is; None: the lot's, as far as was told."""
        near = self._lots.get(lot)
        if near is None:
            return None
        serial = serial_of(tag)
        found = near.get(tag if serial == NOT_NUMERIC else f"{tag[:17]}/{serial >> BLOCK_BITS}", {})
        own = [told for (_, first, last), told in found.items() if first <= serial <= last]
        return max(own, default=None)

    def put(self, told: UnitLots, *, turn: int = 0) -> None:
        """Take in a statement; a lower one of the same units changes nothing."""
        piece = told.subject, told.first, told.last
        known = self._near(told.lot, piece).get(piece)
        new = Told(told.binding, told.horizon_us, told.lives)
        if known is None or new > known:
            self._take(told.lot, piece, new, turn=turn)
            self._dirty[PREFIX + orjson.dumps((told.lot, *piece))] = encode_told(new)

    def ends(self, before: int) -> list[UnitLots]:
        """Statements older than a turn that tell the only lot of some units of their end; each is given out once."""
        due = takewhile(lambda key: self._ends[key] < before, islice(self._ends, AT_ONCE))  # the oldest are first
        found = []
        for lot, piece in list(due):
            del self._ends[lot, piece]
            near = self._near(lot, piece)
            if piece in near and not any(_overlap(piece, other) for other in near if other != piece):
                found.append(UnitLots(lot, *piece, *near[piece]))
        return found

    def drop(self, told: UnitLots) -> None:
        """A statement is of no use any more."""
        piece = told.subject, told.first, told.last
        del self._near(told.lot, piece)[piece]
        self._dirty[PREFIX + orjson.dumps((told.lot, *piece))] = None

    def load(self, key: bytes, value: bytes) -> None:
        """A statement from the changelog."""
        lot, subject, first, last = orjson.loads(key[1:])
        piece = subject, first, last
        self._take(lot, piece, decode_told(value), turn=0)

    def changes(self) -> dict[bytes, bytes | None]:
        """What changed since last asked."""
        dirty, self._dirty = self._dirty, {}
        return dirty

    def _take(self, lot: str, piece: Piece, told: Told, *, turn: int) -> None:
        self._near(lot, piece)[piece] = told
        self._ends.pop((lot, piece), None)
        if told.horizon_us < 0 and {life.lot for life in told.lives} == {lot}:
            self._ends[lot, piece] = turn

    def _near(self, lot: str, piece: Piece) -> dict[Piece, Told]:
        subject, first, _ = piece
        near = subject if first < 0 else f"{subject}/{first >> BLOCK_BITS}"
        return self._lots.setdefault(lot, {}).setdefault(near, {})


def _overlap(one: Piece, other: Piece) -> bool:
    return one[1] <= other[2] and other[1] <= one[2]


def encode_told(told: Told) -> bytes:
    """A statement as a JSON array."""
    return orjson.dumps((told.binding, told.horizon_us, list(map(tuple, told.lives))))


def decode_told(raw: bytes) -> Told:
    """A statement of `encode_told`."""
    binding, horizon_us, lives = orjson.loads(raw)
    return Told(binding, horizon_us, tuple(Life(*life) for life in lives))


def merge_told(older: bytes, newer: bytes) -> bytes:
    """The higher of two statements about the same units."""
    return encode_told(max(decode_told(older), decode_told(newer)))
