"""A directory has one owner, and says who."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lotstream.deploy.embedded.rundir import DirectoryInUse, claim, published

OWNER = """
import sys, time
from pathlib import Path
from lotstream.deploy.embedded.rundir import claim
claim(Path(sys.argv[1]), what="run directory")
print("mine", flush=True)
time.sleep(60)
"""


def other_owner(directory: Path) -> subprocess.Popen[str]:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(directory)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "mine\n"
    owner.stdout.close()
    return owner


def test_second_owner_is_told_who_has_it(tmp_path: Path) -> None:
    """A directory in use is refused at once, naming the process that uses it; it is free when that one is killed."""
    owner = other_owner(tmp_path)
    try:
        with pytest.raises(DirectoryInUse) as caught:
            claim(tmp_path, what="run directory")
        assert str(caught.value) == (f"Expected a free run directory, got {tmp_path}, in use by process {owner.pid}.")
    finally:
        owner.kill()
        owner.wait()
    claim(tmp_path, what="run directory").release()


def test_what_a_dead_owner_left_is_waited_for(tmp_path: Path) -> None:
    """While a child of a dead owner still holds the directory, the next owner waits instead of failing."""
    ours = claim(tmp_path, what="run directory")
    heir = subprocess.Popen(["sleep", "0.5"], pass_fds=[ours.descriptor])
    (tmp_path / "owner.lock").write_text("999999999\n", encoding="ascii")
    ours.release()
    with claim(tmp_path, what="run directory"):
        assert heir.wait(0.3) == 0


def test_release_frees(tmp_path: Path) -> None:
    """A released directory can be claimed again by the same process, a held one cannot."""
    with claim(tmp_path, what="run directory"), pytest.raises(DirectoryInUse):
        claim(tmp_path, what="run directory")
    claim(tmp_path, what="run directory").release()


def test_published_facts_are_read_back(tmp_path: Path) -> None:
    """What a living process publishes is found by others, private to the user, until it is withdrawn."""
    with claim(tmp_path, what="run directory") as ours:
        ours.publish("kafka", {"bootstrap": "127.0.0.1:1", "pid": os.getpid()})
        assert stat.S_IMODE((tmp_path / "kafka.json").stat().st_mode) == 0o600
        assert published(tmp_path, "kafka") == {"bootstrap": "127.0.0.1:1", "pid": os.getpid()}
        ours.withdraw("kafka")
        assert published(tmp_path, "kafka") is None


@pytest.mark.parametrize("text", ['{"pid": 999999999}', "{}", "[]", '{"pid": "x"}'])
def test_facts_of_the_dead_do_not_count(tmp_path: Path, text: str) -> None:
    """What a process that is gone had published is not an answer."""
    (tmp_path / "kafka.json").write_text(text, encoding="utf-8")
    assert published(tmp_path, "kafka") is None
