"""What tags are packed in, kept and passed down."""

from lotstream.schemas.base import MAX_DEPTH
from lotstream.schemas.unit_lots import FOREVER
from lotstream.schemas.unit_parents import UnitParents, UnitParentsBatch, UnitParentsRows
from lotstream.streams.resolve.above import DEPTH, Above, by_lot, links_of, merge_link, passed_down
from lotstream.streams.resolve.lives import Content

G = "09521234543213"
CASE, PALLET, SHIP = "00/095212345432100018", "00/095212345432100025", "00/095212345432100032"


def unit(serial: int) -> str:
    return f"01/{G}/21/{serial}"


def content(child: str, start: int = 0, end: int = FOREVER, *, version: int = 1) -> Content:
    return Content(child, ((start, end),), (), version, 0)


def link(
    tag: str, parent: str = PALLET, *, version: int = 1, stays: tuple[tuple[int, int], ...] = ((5, 9),)
) -> UnitParents:
    return UnitParents("", "", parent, version, stays, (parent,), (tag,))


def test_what_is_packed_together_is_one_row() -> None:
    """Per partition; those that stay for another time have a row of their own."""
    contents = [content(unit(1)), content(unit(2)), content(unit(3), 4)]
    rows = [row for _, row in links_of(CASE, contents, partitions=1)]
    assert [(row.tags, row.stays[0][0]) for row in rows] == [((unit(1), unit(2)), 0), ((unit(3),), 4)]
    assert [UnitParentsBatch.model_validate_json(UnitParentsRows([row]).encode()).rows() for row in rows] == [
        [row] for row in rows
    ]


def test_what_left_before_is_not_told() -> None:
    """A tote that was on many pallets tells each to what is or will be in it; a link that was taken back to all."""
    contents = [content(unit(1), 0, 5), content(unit(2), 0, 6), content(unit(3), 20)]
    ((_, row),) = passed_down(link(CASE), contents, partitions=1)
    assert (row.unit, row.path, row.tags) == (CASE, (PALLET, CASE), (unit(2), unit(3)))
    ((_, back),) = passed_down(link(CASE, version=2, stays=()), contents, partitions=1)
    assert back.tags == (unit(1), unit(2), unit(3))


def test_what_is_inside_itself_comes_to_an_end() -> None:
    """Neither a cycle nor endless nesting is passed down."""
    assert not list(passed_down(link(CASE, CASE), [content(PALLET)], partitions=1))
    deep = link(CASE)._replace(path=tuple(f"00/{n}" for n in range(MAX_DEPTH)))
    assert not list(passed_down(deep, [content(unit(1))], partitions=1))


def test_links_are_kept_at_their_highest_version_and_loaded_again() -> None:
    """The newest of a tag, found by it and by its serial; those that were dropped are deleted."""
    above = Above(limit=2)
    for version in (2, 1, 3):
        above.put(link(unit(7), version=version))
    written = above.changes()
    loaded = Above(limit=2)
    loaded.load((key, value) for key, value in written.items() if value is not None)
    assert above.of(unit(7)) == loaded.of(unit(7)) == [link(unit(7), version=3)]
    assert loaded.within(f"01/{G}", first=1, last=9) == loaded.within(unit(7), first=-1, last=-1)
    for number in range(DEPTH + 1):
        above.put(link(CASE, f"00/{number}", stays=((number, number + 1),)))
    assert [row.parent for row in above.of(CASE)] == [f"00/{number}" for number in range(1, DEPTH + 1)]
    above.put(link(SHIP))
    assert above.of(unit(7)) == [] and above.within(f"01/{G}", first=1, last=9) == []
    assert list(above.changes().values()).count(None) == 2


def test_of_two_copies_the_newer_holds() -> None:
    """Whichever comes first."""
    copies = []
    for version in (1, 2):
        above = Above(limit=2)
        above.put(link(CASE, version=version))
        copies += above.changes().values()
    older, newer = copies
    assert older and newer and merge_link(older, newer) == merge_link(newer, older) == newer


def test_each_lot_is_told_of_its_own_units() -> None:
    """A unit that two lots were named for is told to both."""
    row = link(unit(1))._replace(tags=(unit(1), unit(2)))
    told = by_lot(row, {unit(1): ["A", "B"], unit(2): ["B"]})
    assert [(each.lot, each.tags) for each in told] == [("A", (unit(1),)), ("B", (unit(1), unit(2)))]
