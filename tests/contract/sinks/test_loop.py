"""The sink's promise: every row is in the store before its offset is committed, whatever the store does."""

from typing import Any

from lotstream.schemas.operations import BlindWindow

NOW = 1_763_359_200_000_000


def window(number: int) -> bytes:
    """One blind window, told apart by its detail."""
    return BlindWindow(
        subject="dock", cause="overflow", from_us=NOW + number, detail=f"w{number}", recorded_us=NOW
    ).encode()


def details(store: Any) -> list[str]:
    """What the store holds."""
    return sorted(row[5] for row in store.rows)


def test_rows_arrive_and_then_their_offsets(bench: Any, stores: Any) -> None:
    """What was sent is in the store once, and the group has passed it."""
    bench.send([window(number) for number in range(10)])
    store = stores.keeping()
    with bench.running(store):
        bench.wait(lambda: bench.committed() == 10)
    assert details(store) == sorted(f"w{number}" for number in range(10))


def test_an_outage_is_waited_for(bench: Any, stores: Any) -> None:
    """While the store is away nothing is committed; when it is back nothing is missing."""
    bench.send([window(number) for number in range(4)])
    store = stores.failing(4)
    with bench.running(store):
        bench.wait(lambda: store.failures < 3)
        assert bench.committed() == 0
        bench.wait(lambda: bench.committed() == 4)
    assert details(store) == ["w0", "w1", "w2", "w3"]


def test_a_stop_during_an_outage_loses_nothing(bench: Any, stores: Any) -> None:
    """What could not be inserted comes again to the next process."""
    bench.send([window(number) for number in range(4)])
    away = stores.failing(10**6)
    with bench.running(away):
        bench.wait(lambda: away.failures < 10**6)
    assert bench.committed() == 0
    store = stores.keeping()
    with bench.running(store):
        bench.wait(lambda: bench.committed() == 4)
    assert details(store) == ["w0", "w1", "w2", "w3"]


def test_bad_bytes_and_refused_rows_become_dead_letters(bench: Any, stores: Any) -> None:
    """One bad message costs itself alone: untouched, with its reason and its place; the others are inserted."""
    bench.send([window(0), b"{", window(1), window(2), window(3)])
    store = stores.refusing("w2")
    with bench.running(store):
        bench.wait(lambda: bench.committed() == 5)
    assert details(store) == ["w0", "w1", "w3"]
    letters = {bytes(letter.value()): dict(letter.headers()) for letter in bench.dead_letters()}
    assert set(letters) == {b"{", window(2)}
    assert letters[b"{"]["reason"] == b"json_invalid"
    assert letters[window(2)]["reason"] == b"row_refused"
    assert letters[b"{"]["origin"].decode() == f"{bench.topic}:1:0"
