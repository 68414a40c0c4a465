"""The commands of docs/bring-your-own-reads.md, run as they stand, in their order."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "bring-your-own-reads.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORT = "8088"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Any]:
    """Runs a script in the reader's directory, with the program on the path; ends the stack afterwards."""
    programs = tmp_path / "bin"
    programs.mkdir()
    script = programs / "lotstream"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m lotstream.cli.main "$@"\n')
    script.chmod(0o755)
    place = tmp_path / "here"
    place.mkdir()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LOTSTREAM_")}
    env = {**clean, "PATH": f"{programs}:{os.environ['PATH']}"}

    def run(text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", text],
            cwd=place,
            env=env,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    yield run
    run("lotstream down")


def test_every_command_does_what_the_page_says(shell: Any, tmp_path: Path, told: Any) -> None:
    """The files and commands of the page, in their order, end well; the answers show what was sent."""
    port = str(free_port())
    said: dict[str, str] = {}
    for language, raw in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        text = raw.replace(PORT, port)
        if language == "toml":
            name = text.splitlines()[0].removeprefix("# ")
            file = tmp_path / "here" / name
            # the last file of the page is for another installation
            if not file.exists():
                file.write_text(text)
            continue
        assert language == "sh", language
        if "lotstream affected" in text:
            told.await_that(lambda: arrived(shell), within_s=60, what="both units in the hall")
        done = shell(text)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        said[text] = done.stdout
    page = "\n".join(said.values())
    assert '"rejected": 1' in page.replace('":1', '": 1')
    assert "L-2031" in page and "Finished goods hall" in page and "dock-1" in page
    assert "12.5" in page


def arrived(shell: Any) -> bool:
    """Whether what was posted has become an answer."""
    done = shell("lotstream where L-2031 --json")
    if done.returncode != 0:
        return False
    return [unit["location"] for unit in json.loads(done.stdout)["units"]] == ["hall", "hall"]
