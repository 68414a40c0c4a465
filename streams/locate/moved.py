"""Which units of a message have come to another place, as its movements."""

from collections.abc import Sequence

from lotstream.schemas.movements import MovementRows
from lotstream.streams.locate.unit import Entry

Moved = tuple[str, str, str, Entry]  # lot, unit, where it was, what places it now


def movements_of(moved: Sequence[Moved]) -> MovementRows:
    """One movement each, in columns."""
    lots, units, sources, entries = zip(*moved, strict=True)
    slots, by, versions, _, words, ats, recorded = zip(*entries, strict=True)
    return MovementRows.of_columns(
        lot=lots,
        unit=units,
        source=sources,
        location=[word[1] for word in words],
        read_point=[one[0] for one in by],
        at_us=ats,
        slot=slots,
        direction=[word[0] >> 2 & 3 for word in words],
        how=[word[0] >> 4 & 3 for word in words],
        version=versions,
        recorded_us=recorded,
    )
