"""The set-up script on machines that lack something."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder of commands with the usual tools and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "date", "uname", "head", "grep", "rm", "printf"):
        found = next(path for path in (Path("/bin"), Path("/usr/bin")) if (path / tool).exists())
        (folder / tool).symlink_to(found / tool)
    return folder


def command(folder: Path, name: str, body: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(0o755)


def run(folder: Path, tmp_path: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ROOT / "deploy" / "setup.sh"), "venv", "venv/.stamp"],
        cwd=tmp_path,
        env={"PATH": str(folder), "HOME": str(tmp_path)} | env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_python_is_said(bare: Path, tmp_path: Path) -> None:
    """Without Python the message says what is expected and what was found."""
    ran = run(bare, tmp_path)
    assert ran.returncode == 1
    assert "Expected Python 3.11 to 3.14 on the path, got no python3 at all." in ran.stderr


def test_old_python_is_passed_over(bare: Path, tmp_path: Path) -> None:
    """A python3 that is too old is not used; a launcher without an interpreter is none."""
    command(bare, "python3", 'if [ "$1" = --version ]; then echo "Python 3.9.2"; else exit 1; fi')
    command(bare, "python3.12", "echo 'no such version' >&2; exit 127")
    ran = run(bare, tmp_path)
    assert ran.returncode == 1
    assert "got Python 3.9.2" in ran.stderr


def test_missing_venv_module_is_said(bare: Path, tmp_path: Path) -> None:
    """A Python without venv is told apart, with the package that brings it."""
    command(
        bare, "python3", 'case "$2" in *ensurepip*) exit 1 ;; *sys.version_info\\[1\\]*) echo python3.11-venv ;; esac'
    )
    ran = run(bare, tmp_path)
    assert ran.returncode == 1
    assert "Expected the venv module of python3, got none." in ran.stderr
    assert "apt install python3.11-venv" in ran.stderr


def test_named_python_must_suit(bare: Path, tmp_path: Path) -> None:
    """A Python that was asked for and does not suit is refused, not replaced."""
    ran = run(bare, tmp_path, PYTHON=os.devnull)
    assert ran.returncode == 1
    assert "Expected Python 3.11 to 3.14 in PYTHON" in ran.stderr
