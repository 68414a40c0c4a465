"""The crash proof's own promises: a seed is a plan, a short plan is a fair one, and every point is in the code."""

import re
from collections import Counter
from pathlib import Path

from lotstream.schemas.identifiers import tag_key
from tests.chaos.oracle import Verdict
from tests.chaos.plan import STEPS, Kind, plan, points
from tests.chaos.world import Account, Post, item_hex, item_key, pallet_hex, pallet_key

ROOT = Path(__file__).parents[3]


def test_a_seed_is_a_plan() -> None:
    """The same seed gives the same faults at the same instants, another one others."""
    assert plan(7, kills=40) == plan(7, kills=40)
    assert plan(7, kills=40) != plan(8, kills=40)
    assert plan(7, kills=12, seconds=600.0)[-1].at_s < 600.0


def test_eight_faults_are_fair() -> None:
    """Whatever the seed, broker and history die, something freezes and something dies between two steps."""
    for seed in range(50):
        faults = plan(seed, kills=8)
        kinds = Counter(fault.kind for fault in faults)
        assert {"kafka", "clickhouse"} <= {fault.target for fault in faults if fault.kind is Kind.KILL}
        assert kinds[Kind.FREEZE] and kinds[Kind.POINT] >= 2 and kinds[Kind.ADD]


def test_every_point_is_reached_in_a_long_run() -> None:
    """A run that is long enough arms every named point, none twice before all were."""
    armed = [fault.point.rpartition(":")[0] for fault in plan(3, kills=200) if fault.point]
    first = armed[: len(points())]
    assert sorted(first) == sorted(place for _, place in points())


def test_every_point_is_in_the_code() -> None:
    """A step that nobody passes would make a fault that never comes."""
    files = ["readers/gateway.py", "sinks/loop.py", "streams/engine/shell.py", "streams/engine/outbox.py"]
    code = "\n".join((ROOT / file).read_text() for file in files)
    passed = set(re.findall(r'(?:crash_point\([^,]+, |_step\()"([^"]+)"\)', code))
    assert {step for rooms in STEPS.values() for steps in rooms.values() for step in steps} == passed


def test_tags_are_named_as_the_product_names_them() -> None:
    """The harness makes keys by itself; they are those that the contract gives the same words."""
    for number in (0, 1, 4711, 123_456):
        assert tag_key(item_hex(number)) == item_key(number)
        assert tag_key(pallet_hex(number)) == pallet_key(number)


def test_a_verdict_says_what_differs() -> None:
    """A key that is missing, one that is too much and one with another value all count, and are named."""
    verdict = Verdict()
    verdict.compare("table", {"a": 1, "b": 2, "d": 4}, {"a": 1, "b": 3, "c": 5})
    assert verdict.differs == {"table": 3} and not verdict.clean
    assert len(verdict.details) == 3


def test_only_what_was_acknowledged_is_owed() -> None:
    """A request without an answer obliges to nothing, though it may have an effect."""
    account = Account()
    for name in ("a", "b"):
        account.issue(Post("/", b"", name))
    account.acknowledge(account.posts["a"], tries=3)
    assert [post.name for post in account.obliged()] == ["a"]
    assert account.retried == 2
