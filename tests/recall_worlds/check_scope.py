"""Whether scopes say exactly what is true of worlds side by side: clause by clause, and clauses together."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence

from lotstream.recall.case import Scope
from lotstream.recall.find import NotFound
from lotstream.recall.scope import Found, ScopedLot, Tags, more
from lotstream.recall.scope_ask import Meanings, all_of, found_by, scope_now
from lotstream.recall.store import History
from lotstream.schemas.recalls import (
    Clause,
    ExposedClause,
    IngredientClause,
    LotClause,
    ProducedClause,
    SerialsClause,
    SupplierClause,
    UnitClause,
    Window,
)
from tests.recall_worlds.apart import named, number_of, plain
from tests.recall_worlds.maker import CLASSES, SUPPLIERS
from tests.recall_worlds.oracle import Recalled, reached
from tests.recall_worlds.scope_oracle import LOOSE, WHOLE, Part, Scopes
from tests.worlds.world import GTIN, LOTS, ODD, SECOND, SERIALS, START, World, lot, pallet, tag

PLACES = ("plant", "hall", "store", "at dock")
Parts = set[Part]
Lines = dict[int, list[str]]
Shared = ExposedClause | ProducedClause | SupplierClause  # what is asked of all worlds at once
Meant = tuple[Clause, Parts]  # a clause, and what the oracle says of it; containers are of no lot


def scope_faults(history: History, worlds: Mapping[int, World], truths: Sequence[Recalled]) -> Lines:
    """By number of a world which clauses, and which scopes of several, are not what the oracle says."""
    oracles = [Scopes(world) for world in worlds.values()]
    found: Lines = {number: [] for number in range(len(oracles))}
    for clause in _of_all(random.Random(min(worlds))):
        got = _shared_out(_asked(history, clause))
        for number, oracle in enumerate(oracles):
            found[number] += _unlike(clause, _meant(clause, oracle), got.get(number, set()))
    for number, (seed, oracle, truth) in enumerate(zip(worlds, oracles, truths, strict=True)):
        clauses = [*_own(oracle, truth, random.Random(seed), number=number)]
        found[number] += [line for meant in clauses for line in _alone(history, meant)]
        found[number] += _together(history, clauses, oracle, number=number)
    return found


def _of_all(chance: random.Random) -> Iterator[Shared]:
    """What a place or a supplier has to do with goods of every world: two questions of each for all worlds."""
    for code in SUPPLIERS:
        yield ExposedClause(location=chance.choice(PLACES), window=_window(chance))
        yield ProducedClause(site=chance.choice(PLACES[:3]), window=_window(chance))
        yield SupplierClause(code=code)


def _meant(clause: Shared, oracle: Scopes) -> Parts:
    if isinstance(clause, SupplierClause):
        return oracle.supplied(clause.code)
    if isinstance(clause, ExposedClause):
        return oracle.exposed(clause.location, _range(clause.window))
    return oracle.produced(clause.site, _range(clause.window))


def _own(oracle: Scopes, truth: Recalled, chance: random.Random, *, number: int) -> Iterator[Meant]:
    """A clause of every other kind, about goods of one world, in any order."""
    one, other = (lot(chance.choice((*LOTS, *CLASSES))) for _ in range(2))
    first = chance.randint(1, SERIALS)
    serials = first, chance.randint(first, SERIALS)
    unit = chance.choice((*map(tag, (first, ODD)), *map(pallet, (1, 2, 9, 20))))
    window = _window(chance)
    exposed = {part for part in oracle.exposed("store", _range(window)) if part[0] == other}
    nodes = reached(truth, one, back=False)
    lots = {(node, WHOLE) if "/10/" in node else ("", node.partition("@")[0]) for node in nodes}
    made: list[Meant] = [
        (LotClause(lot=named(number, one)), {(one, WHOLE)}),
        (LotClause(lot=named(number, one), serials=(serials,)), {(one, tag(n)) for n in range(first, serials[1] + 1)}),
        (SerialsClause(gtin=named(number, GTIN), serials=(serials,)), oracle.serials(*serials)),
        (IngredientClause(lot=named(number, one)), lots),
        (ExposedClause(location="store", window=window, lot=named(number, other)), exposed),
    ]
    for asked in (None, window):
        parts, logistic = oracle.unit(unit, None if asked is None else _range(asked))
        made.append((UnitClause(unit=named(number, unit), window=asked), parts | {("", each) for each in logistic}))
    yield from chance.sample(made, len(made))


def _alone(history: History, meant: Meant) -> list[str]:
    clause, expected = meant
    found = _asked(history, clause)
    got = {part for parts in _shared_out(found).values() for part in parts}
    if not found and isinstance(clause, UnitClause):  # of which nothing was ever said
        got |= {("", plain(clause.unit))} & expected
    return _unlike(clause, expected, got)


def _together(history: History, meant: Sequence[Meant], oracle: Scopes, *, number: int) -> Iterator[str]:
    """Two clauses less a third, as sets; and what the second and third change."""
    known = [one for one in meant if _asked(history, one[0])][:3]
    if len(known) < 3:
        return
    (one, first), (other, second), (out, third) = ((clause, _spread(parts, oracle)) for clause, parts in known)
    lots = {named(number, part[0]) for _, parts in known for part in parts if part[0]}
    units = all_of(history, lots)
    for key, tags in units.items():
        yield from _unlike(key, oracle.everything(plain(key)), _parts(plain(key), tags))
    meanings: Meanings = {}
    before = scope_now(history, Scope((one,)), meanings)
    after = scope_now(history, Scope((one, other), (out,)), meanings)
    words = f"{one} | {other} - {out}"
    wanted = _less(first | second, third)
    yield from _unlike(words, _goods(wanted), _goods(_spread(_in(after.lots), oracle)))
    yield from _unlike(words, {unit for of, unit in wanted if not of}, {*map(plain, after.containers)})
    added, taken = more(after, before, known=units), more(before, after, known=units)
    yield from _unlike(f"added by {words}", _goods(_less(wanted, first)), _goods(_spread(_in(added), oracle)))
    yield from _unlike(f"taken by {words}", _goods(_less(first, wanted)), _goods(_spread(_in(taken), oracle)))


def _asked(history: History, clause: Clause) -> Sequence[Found]:
    try:
        return found_by(clause, history)
    except NotFound:
        return ()


def _shared_out(found: Iterable[Found]) -> dict[int, Parts]:
    """What a clause means, by number of the world, in the names of each."""
    shares: dict[int, Parts] = {}
    for one in found:
        for key, tags in one.lots.items():
            shares.setdefault(number_of([key]), set()).update(_parts(plain(key), tags))
        for unit in one.containers:
            shares.setdefault(number_of([unit]), set()).add(("", plain(unit)))
    return shares


def _parts(one: str, tags: Tags | None) -> Parts:
    if tags is None:
        return {(one, WHOLE)}
    serials = {(one, tag(serial)) for first, last in tags.serials for serial in range(first, last + 1)}
    return serials | {(one, plain(unit)) for unit in tags.units} | ({(one, LOOSE)} if tags.loose else set())


def _in(lots: Iterable[ScopedLot]) -> Parts:
    return {part for one in lots for part in _parts(plain(one.lot), one.tags)}


def _spread(parts: Parts, oracle: Scopes) -> Parts:
    """Parts where a whole lot is everything that there is of it, and units that were never of their lot are nothing."""
    there = {one: oracle.everything(one) for one, _ in parts if one}
    some = {part for part in parts if not part[0] or part[1][:3] == "00/" or part in there[part[0]]}
    return some.union(*(there[one] for one, what in parts if what == WHOLE))


def _less(parts: Parts, others: Parts) -> Parts:
    """Without the others; what logistic units hold by class goes with all of a lot that has no tags."""
    return {part for part in parts - others if part[1][:3] != "00/" or (part[0], LOOSE) not in others}


def _goods(parts: Parts) -> Parts:
    """What is of lots; all of a lot that has no tags is also what logistic units hold of it."""
    return {part for part in parts if part[0] and (part[1][:3] != "00/" or (part[0], LOOSE) not in parts)}


def _unlike(what: object, expected: set[object] | Parts, got: set[object] | Parts) -> list[str]:
    missing, extra = sorted(map(str, expected - got)), sorted(map(str, got - expected))
    return [f"{what}: Expected {one}." for one in missing] + [f"{what}: Got {one}." for one in extra]


def _window(chance: random.Random) -> Window:
    since = chance.randrange(0, 240, 10)
    until = since + chance.randrange(10, 110, 10)
    return Window(from_us=START + since * SECOND, until_us=START + until * SECOND)


def _range(window: Window) -> range:
    """The instants within a window at which anything happens."""
    return range((window.from_us - START) // SECOND, (window.until_us - START) // SECOND, 10)
