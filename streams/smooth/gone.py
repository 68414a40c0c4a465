"""Which slots of a read point are forgotten, as intervals: their main lane is closed for good."""

from bisect import bisect_right
from collections.abc import Iterable

LONGEST = 4_096  # intervals; beyond it the oldest gap counts as forgotten too, which can only make a read late


class Gone:
    """A set of slot numbers that only grows."""

    __slots__ = ("_starts", "_stops")

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        pairs = list(pairs)
        self._starts = [start for start, _ in pairs]
        self._stops = [stop for _, stop in pairs]  # exclusive

    def __contains__(self, slot: int) -> bool:
        i = bisect_right(self._starts, slot) - 1
        return i >= 0 and slot < self._stops[i]

    def touches(self, low: int, high: int) -> bool:
        """Whether any slot of low..high (inclusive) is forgotten."""
        i = bisect_right(self._starts, high) - 1
        return i >= 0 and low < self._stops[i]

    def add(self, slot: int) -> None:
        """Forget a slot."""
        if slot in self:
            return
        starts, stops = self._starts, self._stops
        i = bisect_right(starts, slot)
        joins_before = i > 0 and stops[i - 1] == slot
        joins_after = i < len(starts) and starts[i] == slot + 1
        if joins_before and joins_after:
            stops[i - 1] = stops[i]
            del starts[i], stops[i]
        elif joins_before:
            stops[i - 1] = slot + 1
        elif joins_after:
            starts[i] = slot
        else:
            starts.insert(i, slot)
            stops.insert(i, slot + 1)
        if len(starts) > LONGEST:
            del starts[1], stops[0]

    def pairs(self) -> list[tuple[int, int]]:
        """Intervals [start, stop), ascending."""
        return list(zip(self._starts, self._stops, strict=True))
