"""Lives of units and contents of parents, as functions of what was said."""

from itertools import permutations
from typing import Any

from lotstream.streams.resolve.lives import NEVER, Fact, contents_of, lives_of

ADD, DELETE = 0, 1


def fact(what: str, at: int, *, action: int = ADD, said: int = 0, **more: Any) -> Fact:
    known = {"event": f"{what}{at}{action}", "retracted": NEVER, "recorded_us": 0}
    return Fact(object=what, action=action, at_us=at, said=said, **(known | more))


def lots(facts: list[Fact], *times: int) -> list[str]:
    answers = {tuple(lives_of(order).lot_at(time) for time in times) for order in permutations(facts)}
    assert len(answers) == 1, "the order of facts changed the lot"
    return list(answers.pop())


def test_the_first_life_reaches_back() -> None:
    """A tag is read before its commissioning: it already belongs to its first lot."""
    assert lots([fact("A", 100)], 0, 99, 100, 10**9) == ["A"] * 4


def test_a_second_life_begins_when_it_begins() -> None:
    """A tag is used again: from its second commissioning on it belongs to the second lot."""
    assert lots([fact("A", 100), fact("B", 200)], 50, 199, 200) == ["A", "A", "B"]


def test_between_two_lives_a_tag_is_nobodys() -> None:
    """After the end of a life, and at its own instant still inside, a tag belongs to no lot until the next begins."""
    facts = [fact("A", 100), fact("", 150, action=DELETE), fact("B", 200)]
    assert lots(facts, 50, 150, 151, 199, 200) == ["A", "A", "", "", "B"]


def test_an_unknown_earlier_life_stops_the_reach() -> None:
    """An earlier life ended of which nothing else is known: what was read before is not the new lot's."""
    assert lots([fact("", 150, action=DELETE), fact("B", 200)], 50, 199, 200) == ["", "", "B"]


def test_what_is_retracted_was_never_so() -> None:
    """A commissioning declared wrong gives its place to the one that corrects it, back to the beginning."""
    facts = [fact("A", 100, retracted=7), fact("B", 100, said=8)]
    assert lots(facts, 50, 100) == ["B", "B"]
    lives = lives_of(facts)
    assert (lives.lots, lives.binding) == ({"A", "B"}, 8)


def test_the_end_of_another_lots_life_is_not_this_ones() -> None:
    """A DELETE that names a lot ends that lot's life only."""
    assert lots([fact("A", 100), fact("B", 150, action=DELETE)], 200) == ["A"]


def test_contents_are_intervals() -> None:
    """A child is inside from packing to before unpacking; packing it twice begins nothing new."""
    facts = [fact("c", 10), fact("c", 20), fact("c", 30, action=DELETE, said=5), fact("c", 40)]
    for order in permutations(facts):
        content = contents_of(order)["c"]
        assert content.stays == ((10, 30), (40, NEVER))
        assert [content.inside(time) for time in (9, 10, 29, 30, 40)] == [False, True, True, False, True]
        assert content.version == 5


def test_unpacking_all_empties_the_parent() -> None:
    """A DELETE of all contents ends the stay of everything inside, and of nothing packed later."""
    contents = contents_of([fact("a", 10), fact("b", 50), fact("", 30, action=DELETE, said=9)])
    assert contents["a"].stays == ((10, 30),)
    assert contents["b"].stays == ((50, NEVER),)
    assert {content.version for content in contents.values()} == {9}


def test_repacking_at_one_instant_keeps_the_child_inside() -> None:
    """Emptied and packed again at the same time: it is inside."""
    contents = contents_of([fact("a", 10), fact("", 30, action=DELETE), fact("a", 30)])
    assert contents["a"].inside(30)


def test_a_fact_knows_what_was_known_before() -> None:
    """A fact taken back later was valid until then."""
    later = fact("A", 100, said=3, retracted=9)
    assert later.before(9).retracted == NEVER
    assert later.before(10).retracted == 9
    assert later.version == 9
