"""The sink's promise: every row is in the store before its offset is committed, whatever the store does."""

import time
from typing import Any

from lotstream.runtime.errors import Reason, Rejected
from lotstream.runtime.settings import load_settings
from lotstream.schemas.operations import BlindWindow
from lotstream.sinks.loop import RECEIVE

NOW = 1_763_359_200_000_000


def window(number: int, padding: str = "") -> bytes:
    """One blind window, told apart by its detail."""
    return BlindWindow(
        subject="dock", cause="overflow", from_us=NOW + number, detail=f"w{number}{padding}", recorded_us=NOW
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


def test_a_parked_message_is_passed_over(bench: Any, stores: Any) -> None:
    """It becomes a dead letter with its bytes and the reason `parked`; no row of it is made, the others arrive."""
    bench.send([window(0), window(1), window(2)])
    store = stores.keeping()
    why = Rejected(Reason.PARKED, "Expected a record to decide, got one parked by ann: it stops.")
    with bench.running(store, parks={f"{bench.topic}:1:0": why}):
        bench.wait(lambda: bench.committed() == 3)
    assert details(store) == ["w0", "w2"]
    (letter,) = bench.dead_letters()
    assert (letter.value(), dict(letter.headers())["reason"]) == (window(1), b"parked")


def test_the_vector_of_offsets(bench: Any, stores: Any) -> None:
    """What was passed is recorded, also when nothing follows it, and again by a successor."""
    bench.send([window(number) for number in range(6)])
    store = stores.keeping()
    with bench.running(store):
        bench.wait(lambda: bench.committed() == 6)
        bench.send([window(number) for number in range(6, 10)])
        bench.wait(lambda: bench.committed() == 10)
        bench.wait(lambda: passed(store) == {0: 5, 1: 5})
    assert {topic for topic, *_ in store.passed} == {"blind-windows.v1"}
    successor = stores.keeping()
    with bench.running(successor):
        bench.wait(lambda: passed(successor) == {0: 5, 1: 5})
    assert successor.rows == []


def passed(store: Any) -> dict[int, int]:
    """The newest offset of each partition in the vector."""
    return {partition: following for _, partition, _, following in store.passed}


def test_a_stop_drains(patient_bench: Any, stores: Any) -> None:
    """What is held when the process is asked to end is inserted and committed first."""
    patient_bench.send([window(number) for number in range(4)])
    store = stores.keeping()
    with patient_bench.running(store) as loop:
        patient_bench.wait(lambda: loop.pulse.held_since > 0)
        assert loop.pulse.joined
        assert store.rows == []
    assert len(store.rows) == patient_bench.committed() > 0
    assert sum(passed(store).values()) == patient_bench.committed()


def test_an_outage_shows(bench: Any, stores: Any) -> None:
    """While a sink waits it says for what, goes on beating, and is well again afterwards."""
    bench.send([window(0)])
    store = stores.failing(10**6)
    with bench.running(store) as loop:
        bench.wait(lambda: "away" in loop.pulse.waiting)
        beaten = loop.pulse.beaten
        bench.wait(lambda: loop.pulse.beaten > beaten)
        store.failures = 0
        bench.wait(lambda: bench.committed() == 1)
        bench.wait(lambda: loop.pulse.waiting == "")
        assert loop.pulse.behind == 0


def test_one_bad_row_among_many_messages(bench: Any, stores: Any) -> None:
    """Whatever the number of rows around it, exactly the bad ones are left out."""
    bad = {3, 17, 18, 40}
    bench.send([window(10_000 if number in bad else number) for number in range(60)])
    store = stores.refusing("w10000")
    with bench.running(store):
        bench.wait(lambda: bench.committed() == 60)
    assert details(store) == sorted(f"w{number}" for number in range(60) if number not in bad)


def test_a_second_process_during_an_outage(bench: Any, stores: Any) -> None:
    """A process that waits gives half its partitions to another; what it held is forgotten, and nothing is lost."""
    bench.send([window(number) for number in range(10)])
    away, near = stores.failing(10**6), stores.keeping()
    with bench.running(away):
        bench.wait(lambda: away.failures < 10**6)
        with bench.running(near) as second:
            bench.wait(lambda: second.pulse.joined)
            away.failures = 0
            bench.wait(lambda: bench.committed() == 10)
            bench.send([window(number) for number in range(10, 20)])
            bench.wait(lambda: bench.committed() == 20)
    assert set(details(away) + details(near)) == {f"w{number}" for number in range(20)}


def test_an_outage_holds_little(bench: Any, stores: Any) -> None:
    """However much comes while the store is away, the sink holds no more than it may, and afterwards all of it is
    there."""
    bench.settings = load_settings(None, bench.env | {"LOTSTREAM_SINK__MAX_PENDING_BYTES": str(1 << 20)})
    padding = "x" * 1_900
    bench.send([window(number, padding) for number in range(3_000)])  # 6 MB
    store = stores.failing(10**6)
    with bench.running(store) as loop:
        bench.wait(lambda: "away" in loop.pulse.waiting)
        time.sleep(2.0)
        assert 0 < loop._pending.size < (1 << 20) + RECEIVE * 2_200
        assert bench.committed() == 0
        store.failures = 0
        bench.wait(lambda: bench.committed() == 3_000)
    assert details(store) == sorted(f"w{number}{padding}" for number in range(3_000))
