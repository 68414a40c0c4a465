"""Whose lot a sighting belongs to when every binding is known: item rows from facts, instead of from the log."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lotstream.schemas.identity import Binding
from lotstream.streams.resolve.bindings import Bindings
from lotstream.streams.resolve.infer import is_logistic


class Belonging(NamedTuple):
    """A sighting is one of a unit of ``lot``; or was, in another version, and is there no more."""

    lot: str
    retracted: bool


class Lots:
    """Asks the bindings; each comes with the identity.v1 offset of its first copy."""

    def __init__(self, bindings: Iterable[tuple[Binding, int]]) -> None:
        self._bindings = Bindings()
        for row, offset in bindings:
            self._bindings.add(row, offset=offset)

    def of(self, tag: str, *, slot: int, last_us: int) -> Iterator[Belonging]:
        """What resolve says of a sighting: its lot, and the other lots of the unit in the same slot."""
        if is_logistic(tag):
            return
        lives = self._bindings.lives(tag)
        lot = lives.lot_at(last_us)
        if lot:
            yield Belonging(lot, retracted=False)
        for other in lives.others_in(slot, lot):
            yield Belonging(other, retracted=True)
