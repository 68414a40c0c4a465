"""The scope of a recall is a set: of serials, units and lots."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from lotstream.recall.case_holds import WHOLE, HoldDeed, plan, releases
from lotstream.recall.scope import Found, Scoped, ScopedLot, Tags, merged, more, scoped, without
from lotstream.schemas.lots import HoldAction, HoldScope

LOTS = st.sampled_from([f"01/09521234543213/10/{code}" for code in "ABC"])
RANGES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 8)), max_size=4).map(
    lambda found: tuple((first, first + width) for first, width in found)
)
UNITS = st.lists(st.sampled_from(["01/09521234543213/21/x", "00/106141411234567897"]), unique=True).map(
    lambda units: tuple(sorted(units))
)
TAGS = st.builds(lambda ranges, units, loose: Tags(merged(ranges), units, loose), RANGES, UNITS, st.booleans())
PARTS = st.one_of(st.none(), TAGS.filter(bool))
FOUND = st.builds(Found, st.sampled_from("abc"), st.dictionaries(LOTS, PARTS, max_size=3))
KNOWN = st.fixed_dictionaries({f"01/09521234543213/10/{code}": TAGS for code in "ABC"})


def members(ranges: tuple[tuple[int, int], ...]) -> set[int]:
    return {serial for first, last in ranges for serial in range(first, last + 1)}


def goods(tags: Tags) -> set[object]:
    """A part as a plain set."""
    return {*members(tags.serials), *tags.units, *(["loose"] if tags.loose else [])}


def less(one: set[object], other: set[object], known: Tags) -> set[object]:
    """What a logistic unit holds by class goes with all that has no tags, unless it is itself a unit of the lot."""
    carried = {part for part in one if str(part).startswith("00/") and part not in known.units}
    return one - other - (carried if "loose" in other else set())


def whole(scope: Scoped, known: dict[str, Tags]) -> dict[str, set[object]]:
    """A scope as plain sets, by what there is."""
    return {lot.lot: goods(known[lot.lot] if lot.tags is None else lot.tags) for lot in scope.lots}


@given(RANGES, RANGES)
def test_ranges_are_sets(ranges: tuple[tuple[int, int], ...], others: tuple[tuple[int, int], ...]) -> None:
    """Union and difference of ranges are those of their serials, in the fewest ranges, sorted."""
    assert members(merged(ranges)) == members(ranges)
    assert members(without(ranges, others)) == members(ranges) - members(others)
    for found in (merged(ranges), without(ranges, others)):
        assert all(one[1] + 1 < two[0] for one, two in itertools.pairwise(found))


@given(TAGS, TAGS)
def test_parts_are_sets(one: Tags, other: Tags) -> None:
    """Union and difference of parts are those of what they have, and the count is of units."""
    assert goods(one | other) == goods(one) | goods(other)
    assert goods(one - other) == goods(one) - goods(other)
    assert one.items == len(goods(one) - {"loose"})


@given(st.lists(FOUND, max_size=4), st.lists(FOUND, max_size=3), KNOWN, st.randoms(use_true_random=False))
def test_a_scope_is_a_union_less_others(
    include: list[Found], exclude: list[Found], known: dict[str, Tags], chance: random.Random
) -> None:
    """Whatever the order of clauses and how often one is said, the lots and parts are the union less the exclusions."""
    found = scoped(include, exclude, known=known)
    mixed = [*include, *include]
    chance.shuffle(mixed)
    again = scoped(mixed, exclude[::-1], known=known)
    assert [(lot.lot, lot.tags) for lot in found.lots] == [(lot.lot, lot.tags) for lot in again.lots]
    for lot in {lot for one in include for lot in one.lots}:
        parts = [one.lots[lot] for one in include if lot in one.lots]
        out = [one.lots[lot] for one in exclude if lot in one.lots]
        wanted = goods(known[lot]) if None in parts else set().union(*(goods(part) for part in parts if part))
        wanted = less(wanted, set().union(*(goods(part) for part in out if part)), known[lot])
        assert whole(found, known).get(lot, set()) == (set() if None in out else wanted)


@given(st.lists(FOUND, max_size=3), st.lists(FOUND, max_size=3), KNOWN)
def test_what_a_widening_adds(one: list[Found], other: list[Found], known: dict[str, Tags]) -> None:
    """A scope with more clauses lacks nothing that it had, and what is new is what it has more."""
    before, after = scoped(one, known=known), scoped([*one, *other], known=known)
    assert all(lot.lot in whole(after, known) for lot in before.lots)
    added = whole(Scoped(more(after, before, known=known)), known)
    for lot, now in whole(after, known).items():
        assert less(now, whole(before, known).get(lot, set()), known[lot]) <= added.get(lot, set()) <= now
    assert more(after, after, known=known) == ()


def row(deed: HoldDeed) -> dict[str, object]:
    """A decision about a hold, as the history has it."""
    scope = deed.scope
    return {
        "lot": deed.lot, "hold": deed.hold, "action": str(deed.action),
        "first_serials": [first for first, _ in scope.serials], "last_serials": [last for _, last in scope.serials],
        "units": list(scope.units), "amount": scope.amount, "uom": scope.uom, "site": scope.site,
    }  # fmt: skip


def carried_out(decided: dict[tuple[str, str, str], dict[str, object]], deeds: list[HoldDeed]) -> None:
    """The newest version of each hold and action stands."""
    for deed in deeds:
        decided[deed.lot, deed.hold, str(deed.action)] = row(deed)


SCOPES = st.lists(st.tuples(LOTS, PARTS), max_size=3, unique_by=lambda lot: lot[0]).map(
    lambda lots: [ScopedLot(lot, tags, ()) for lot, tags in lots]
)


@given(st.lists(SCOPES, min_size=1, max_size=5))
def test_holds_follow_the_scope(scopes: list[list[ScopedLot]]) -> None:
    """Whatever a scope was before, when its plan is carried out the holds in force are those that it asks for; a plan
    carried out asks for nothing more; a name that was released is never placed again."""
    decided: dict[tuple[str, str, str], dict[str, object]] = {}
    for lots in scopes:
        deeds = plan("R1", lots, list(decided.values()))
        ended = {key[:2] for key in decided if key[2] == "release"}
        assert not ended & {(deed.lot, deed.hold) for deed in deeds}
        carried_out(decided, deeds)
        assert plan("R1", lots, list(decided.values())) == []
        live = {(deed.lot) for deed in releases(list(decided.values()), None)}
        assert live == {lot.lot for lot in lots}
    carried_out(decided, releases(list(decided.values()), None))
    assert releases(list(decided.values()), None) == []


def test_a_part_is_held_as_it_is() -> None:
    """Serials and units are a hold each, many ranges several; goods without tags hold the whole lot."""
    lot = "01/09521234543213/10/A"
    ranges = tuple((2 * number, 2 * number) for number in range(1500))
    deeds = plan("R1", [ScopedLot(lot, Tags(ranges, ("00/106141411234567897",)), ())], [])
    assert [deed.hold for deed in deeds] == ["recall:R1", "recall:R1/2", "recall:R1/3"]
    assert [len(deed.scope.serials) for deed in deeds] == [1000, 500, 0]
    assert deeds[2].scope == HoldScope(units=("00/106141411234567897",))
    (loose,) = plan("R1", [ScopedLot(lot, Tags(((1, 2),), loose=True), ())], [])
    assert loose == HoldDeed(lot, "recall:R1", HoldAction.PLACE, WHOLE)
