"""Batches in columns: whatever rows go in come out, alone or coalesced."""

from hypothesis import given
from hypothesis import strategies as st

from lotstream.schemas.identity import Binding, BindingRows, decode_bindings
from lotstream.schemas.movements import Movement, MovementRows, decode_movements
from lotstream.schemas.sightings import (
    Context,
    Declaration,
    Edition,
    Form,
    LotSighting,
    LotSightingRows,
    Named,
    Sighting,
    SightingBatch,
    SightingRows,
    decode_lot_sightings,
    decode_sightings,
)

micros = st.integers(0, 4_102_444_800_000_000)
words = st.text(max_size=12)
keys = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=3, max_size=40)
offsets = st.integers(0, 2**60)

certainty = st.integers(0, 2)
forms = st.builds(
    Form,
    st.builds(Context, words, words, st.integers(0, 9), offsets),
    location=words,
    declaration=st.builds(Declaration, words, words, words, words, words, words),
    lane=words,
    origin=words,
    path=st.lists(keys, max_size=8).map(tuple),
    state=certainty,
    direction=certainty,
    marks=st.integers(0, 31),
    how=st.integers(0, 3),
)
sightings = st.builds(
    Sighting,
    tag=keys,
    form=forms,
    edition=st.builds(Edition, st.lists(offsets, min_size=2, max_size=5).map(tuple), micros),
    slot=st.integers(0, 2**31),
    first_us=micros,
    last_us=micros,
    reads=st.integers(0, 10**6),
    runs=st.lists(st.lists(st.integers(-(2**31), 2**50), max_size=9), max_size=3),
)
bindings = st.builds(
    Binding,
    relation=st.integers(0, 2),
    subject=keys,
    first=st.integers(-1, 10**18),
    last=st.integers(-1, 10**18),
    object=words,
    action=st.integers(0, 1),
    at_us=micros,
    event=words,
    retracted=st.integers(0, 1),
    recorded_us=micros,
)
movements = st.builds(
    Movement,
    lot=keys,
    unit=keys,
    source=words,
    location=words,
    read_point=words,
    at_us=micros,
    slot=st.integers(0, 2**31),
    direction=st.integers(0, 2),
    how=st.integers(0, 3),
    version=st.lists(offsets, min_size=2, max_size=5),
    recorded_us=micros,
)


@given(st.lists(sightings, min_size=1, max_size=8), st.lists(sightings, max_size=4))
def test_sightings_come_back_in_order(first: list[Sighting], second: list[Sighting]) -> None:
    """Rows of two messages coalesced are the rows of both, in order."""
    rows = SightingRows(first)
    rows.extend(SightingRows(second))
    assert decode_sightings(rows.encode()) == first + second


@given(st.lists(st.builds(LotSighting, keys, offsets, st.integers(-1, 2**60), sightings), min_size=1, max_size=8))
def test_lot_sightings_come_back(rows: list[LotSighting]) -> None:
    """Each keeps its lot, its binding and its sighting, but for the runs, which stay with the tag's own sighting."""
    kept = [row._replace(sighting=row.sighting._replace(runs=())) for row in rows]
    assert decode_lot_sightings(LotSightingRows(rows).encode()) == kept


@given(
    st.lists(sightings, min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), keys, offsets), min_size=1, max_size=4),
    st.lists(st.builds(LotSighting, keys, offsets, st.integers(-1, 2**60), sightings), max_size=2),
)
def test_sightings_pass_to_their_lots_as_they_are(
    rows: list[Sighting], picked: list[tuple[int, str, int]], others: list[LotSighting]
) -> None:
    """Some rows of a message, each with its lot, are the same as if they were made one by one; also coalesced."""
    named = [(place % len(rows), lot, binding) for place, lot, binding in picked]
    some = Named(*(list(column) for column in zip(*named, strict=True)))
    passed = LotSightingRows.of(SightingBatch.model_validate_json(SightingRows(rows).encode()), some)
    passed.extend(LotSightingRows(others))
    expected = [LotSighting(lot, binding, -1, rows[place]) for place, lot, binding in named]
    assert decode_lot_sightings(passed.encode()) == decode_lot_sightings(LotSightingRows(expected + others).encode())


@given(st.lists(bindings, min_size=1, max_size=8))
def test_bindings_come_back(rows: list[Binding]) -> None:
    """Every fact survives."""
    assert decode_bindings(BindingRows(rows).encode()) == rows


@given(st.lists(movements, min_size=1, max_size=8))
def test_movements_come_back(rows: list[Movement]) -> None:
    """Dictionary coding loses no word."""
    assert decode_movements(MovementRows(rows).encode()) == rows
