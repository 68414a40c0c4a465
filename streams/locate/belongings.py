"""Whose the units are that were, or seemed to be, of several lots, of none, or of one too late: told by resolve.

A statement is about serials of one neighbourhood, or about one unit. What is kept is the highest binding of each; a
unit asks the statements that name it, and the highest of these holds.
"""

import orjson

from lotstream.schemas.unit_lots import Life, UnitLots
from lotstream.streams.locate.unit import Told
from lotstream.streams.serials import NOT_NUMERIC, serial_of

PREFIX = b"L"
BLOCK_BITS = 12  # as in schemas.partitions: no statement spans two neighbourhoods

Piece = tuple[str, int, int]  # subject, first, last


class Belongings:
    """All statements of one partition."""

    def __init__(self) -> None:
        self._lots: dict[str, dict[str, dict[Piece, Told]]] = {}  # lot -> neighbourhood or unit -> statements
        self._dirty: dict[bytes, bytes | None] = {}

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

    def put(self, told: UnitLots) -> None:
        """Take in a statement; a lower one of the same units changes nothing."""
        piece = told.subject, told.first, told.last
        known = self._near(told.lot, piece).get(piece)
        new = Told(told.binding, told.horizon_us, told.lives)
        if known is None or new > known:
            self._near(told.lot, piece)[piece] = new
            self._dirty[PREFIX + orjson.dumps((told.lot, *piece))] = encode_told(new)

    def load(self, key: bytes, value: bytes) -> None:
        """A statement from the changelog."""
        lot, subject, first, last = orjson.loads(key[1:])
        piece = subject, first, last
        self._near(lot, piece)[piece] = decode_told(value)

    def changes(self) -> dict[bytes, bytes | None]:
        """What changed since last asked."""
        dirty, self._dirty = self._dirty, {}
        return dirty

    def _near(self, lot: str, piece: Piece) -> dict[Piece, Told]:
        subject, first, _ = piece
        near = subject if first < 0 else f"{subject}/{first >> BLOCK_BITS}"
        return self._lots.setdefault(lot, {}).setdefault(near, {})


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
