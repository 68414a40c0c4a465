"""The brake of a crash loop."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from lotstream.cli.brake import CHECK, LONGEST_S, Brake
from lotstream.runtime.errors import Transient
from lotstream.runtime.health import Health

SECOND = 1_000_000


@dataclass
class SetClock:
    """Says what it is told."""

    now: int = 1_000 * SECOND

    def now_us(self) -> int:
        return self.now


def test_waits_double_from_the_second_crash_on(tmp_path: Path) -> None:
    """After one bug a process goes on at once; then it waits 1, 2, 4 ... seconds, never longer than the most."""
    clock = SetClock()
    waits = []
    for _ in range(9):
        brake = Brake(tmp_path / "worker.crashes.json", clock=clock)
        waits.append(brake.wait_s())
        brake.crashed()
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, LONGEST_S]


def test_the_wait_is_counted_from_the_crash(tmp_path: Path) -> None:
    """What a supervisor has waited already is not waited again, and crashes of long ago count for nothing."""
    clock = SetClock()
    brake = Brake(tmp_path / "worker.crashes.json", clock=clock)
    for _ in range(5):
        brake.crashed()
    clock.now += 3 * SECOND
    assert brake.wait_s() == 5
    clock.now += 600 * SECOND
    assert brake.wait_s() == 0


@pytest.mark.parametrize(
    ("error", "waits"), [(ZeroDivisionError(), True), (Transient("away"), False), (KeyboardInterrupt(), False)]
)
def test_only_a_bug_is_remembered(tmp_path: Path, error: BaseException, waits: bool) -> None:
    """An outage, a signal or an orderly end leaves no trace."""
    path = tmp_path / "sink.crashes.json"
    for _ in range(2):
        with pytest.raises(type(error)), Brake(path):
            raise error
    with Brake(path):
        pass
    assert bool(Brake(path).wait_s()) is waits


def test_it_holds_alive_and_not_ready(tmp_path: Path) -> None:
    """While a process waits it beats, says why it is not ready, and is ready of itself afterwards."""
    clock = SetClock()
    brake = Brake(tmp_path / "worker.crashes.json", clock=clock)
    health = Health()
    brake.crashed()
    brake.crashed()
    seen = []

    def sleep(seconds: float) -> None:
        seen.append(health.checks()[CHECK])
        clock.now += round(seconds * SECOND)

    brake.hold(health, sleep=sleep)
    assert seen and all(not check.ok and "goes on in 1 s" in check.detail for check in seen)
    assert health.ready


def test_a_file_that_cannot_be_read_holds_nothing_up(tmp_path: Path) -> None:
    """Whatever stands in the file, a process goes to work."""
    path = tmp_path / "worker.crashes.json"
    for text in ("", "[]", '{"crashed_us": 1}', '{"crashed_us": ["a", "b", "c"]}'):
        path.write_text(text)
        assert Brake(path).wait_s() == 0
