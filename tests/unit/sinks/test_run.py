"""When a process of sinks is ready and alive, and which sinks a command names."""

import pytest

from lotstream.runtime.metrics import Metrics
from lotstream.sinks.held import Pending, Pulse
from lotstream.sinks.rows import SINKS, Message
from lotstream.sinks.run import DEAD_S, SLOW_S, STALE_S, SinkUnknown, alive, readiness, show, sinks_named

NOW = 1_000.0


def pulse(**given: object) -> Pulse:
    """A sink that is well, with what is given."""
    return Pulse(**{"joined": True, "beaten": NOW, "committed": NOW - 3, **given})  # type: ignore[arg-type]


def test_ready_when_all_is_well() -> None:
    """Joined, waiting for nothing, holding nothing for long: ready, with lag and age said."""
    ready, detail = readiness([("a", pulse(behind=5)), ("b", pulse(held_since=NOW - 1))], NOW)
    assert (ready, detail) == (True, "2 sinks, 5 messages behind, last commit 3 s ago")


def test_an_idle_sink_is_ready() -> None:
    """A sink to which nothing comes does not become unready with the age of its last commit."""
    assert readiness([("a", pulse(committed=NOW - 10_000))], NOW)[0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"joined": False}, "a: has not joined its consumer group yet"),
        ({"waiting": "ClickHouse"}, "a: waits for ClickHouse"),
        ({"held_since": NOW - STALE_S - 1}, "a: holds rows since 61 s"),
        ({"asked_since": NOW - SLOW_S - 1}, "a: has no answer from ClickHouse for 16 s"),
    ],
)
def test_not_ready(given: dict[str, object], said: str) -> None:
    """One sink that cannot go on makes the process unready, and is named."""
    ready, detail = readiness([("a", pulse(**given)), ("b", pulse())], NOW)
    assert not ready
    assert detail.startswith(said)


def test_waiting_shows_in_a_metric() -> None:
    """A sink that asks ClickHouse says for how long it has been asking; one that does not says 0."""
    metrics = Metrics()
    show([("a", pulse(asked_since=NOW - 20)), ("b", pulse())], metrics, now=NOW)
    said = metrics.exposition().decode()
    assert 'lotstream_sink_waiting_seconds{sink="a"} 20.0' in said
    assert 'lotstream_sink_waiting_seconds{sink="b"} 0.0' in said


def test_alive() -> None:
    """A loop that does not go round any more is dead; one that waits out an outage beats on."""
    assert alive([("a", pulse()), ("b", pulse(beaten=NOW - DEAD_S + 1))], NOW)
    assert not alive([("a", pulse()), ("b", pulse(beaten=NOW - DEAD_S - 1))], NOW)


def test_names() -> None:
    """Sinks by name, each once; 'all' is every one; an unknown name says which there are."""
    assert [sink.name for sink in sinks_named(["lots", "events", "lots"])] == ["lots", "events"]
    assert sinks_named(["all"]) == list(SINKS)
    with pytest.raises(SinkUnknown, match="sightings"):
        sinks_named(["nope"])


def test_pending() -> None:
    """What is held knows its rows, its size and the offset behind it, also of messages without rows."""
    held = Pending()
    held.add(Message("t", 0, 7, b"abc"), {"x": [(1, 0, 7), (2, 0, 7)], "empty": []})
    held.add(Message("t", 1, 3, None), {})
    held.add(Message("t", 0, 8, b"d"), {})
    assert (held.count, held.size, held.next) == (2, 4, {("t", 0): 9, ("t", 1): 4})
    assert list(held.rows) == ["x"]
