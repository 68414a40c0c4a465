"""The way up from a unit of a lot."""

from lotstream.schemas.unit_parents import UnitParents
from lotstream.streams.locate.parents import Parents, merge_parents, nowhere

LOT, UNIT, OTHER = "01/09521234543213/10/A", "01/09521234543213/21/7", "01/09521234543213/21/8"
CASE, PALLET = "00/095212345432100018", "00/095212345432100025"


def said(unit: str, parent: str, *stays: tuple[int, int], version: int = 1) -> UnitParents:
    """A statement to both units."""
    return UnitParents(LOT, unit, parent, version, stays, (parent,), (UNIT, OTHER))


def test_the_way_up_is_by_the_instant() -> None:
    """Whether it was asked for before the statements came or after them, or after a restart."""
    rows = [said("", CASE, (10, 50)), said(CASE, PALLET, (20, 30), (40, 45))]
    early, late, loaded = Parents(), Parents(), Parents()
    assert early.way(LOT) is nowhere
    for row in rows:
        early.put(row)
    for row in reversed(rows):
        late.put(row)
    for key, value in late.changes().items():
        assert value is not None
        loaded.load(key, value)
    for parents in (early, late, loaded):
        way = parents.way(LOT)
        assert [way(UNIT, at) for at in (9, 10, 20, 29, 30, 44, 50)] == [
            (), (CASE,), (CASE, PALLET), (CASE, PALLET), (CASE,), (CASE, PALLET), (),
        ]  # fmt: skip
        assert way(OTHER, 20) == (CASE, PALLET) and way(CASE, 20) == (PALLET,)


def test_the_higher_version_holds() -> None:
    """A packing that was taken back is over, also when that came first."""
    for versions in ((1, 2), (2, 1)):
        parents = Parents()
        for version in versions:
            parents.put(said("", CASE, *[(10, 50)] * (version == 1), version=version))
        assert parents.way(LOT)(UNIT, 20) == ()
    older, newer = b"[1,[[10,50]]]", b"[2,[]]"
    assert merge_parents(older, newer) == merge_parents(newer, older) == newer


def test_contradictions_come_to_an_end() -> None:
    """Packed twice: where it was put last. Packed into itself: up to there."""
    parents = Parents()
    for unit, parent, start in (("", CASE, 10), ("", PALLET, 20), (PALLET, CASE, 0), (CASE, PALLET, 0)):
        parents.put(said(unit, parent, (start, 50)))
    assert [parents.way(LOT)(UNIT, at) for at in (15, 25)] == [(CASE, PALLET), (PALLET, CASE)]
