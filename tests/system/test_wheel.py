"""The wheel in an environment of its own, started from an empty directory."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.system


def run(*arguments: str | Path, cwd: Path, timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
    # nothing of the checkout may be found by chance
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LOTSTREAM_"))}
    return subprocess.run(
        [str(argument) for argument in arguments],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`lotstream` of a fresh environment: the wheel is installed, its dependencies are those of the test run."""
    place = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, ROOT, cwd=ROOT)
    assert built.returncode == 0, built.stdout + built.stderr
    made = run(sys.executable, "-m", "venv", "--without-pip", place / "env", cwd=place)
    assert made.returncode == 0, made.stderr
    python = place / "env" / "bin" / "python"
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place).stdout.strip()
    # a path named here is not searched for .pth files itself: the checkout's editable install stays out
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (wheel,) = place.glob("*.whl")
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps")
    installed = run(*pip, "--ignore-installed", wheel, cwd=place)
    assert installed.returncode == 0, installed.stderr
    return place / "env" / "bin" / "lotstream"


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A directory without anything of the project."""
    return tmp_path


def test_the_wheel_brings_every_room_and_its_files(program: Path, empty: Path) -> None:
    """The installed package is the wheel's, with its SQL and its locks, and nothing lands beside it."""
    script = (
        "import pathlib, lotstream, lotstream.schemas.topics, lotstream.streams, lotstream.readers; "
        "top = pathlib.Path(lotstream.__file__).parent; "
        "print(top, len(list(top.glob('sinks/migrations/*.sql'))), len(list(top.glob('recall/queries/*.sql'))), "
        "(top / 'deploy/embedded/jars.lock').is_file())"
    )
    said = run(program.parent / "python", "-c", script, cwd=empty)
    assert said.returncode == 0, said.stderr
    top, migrations, queries, jars = said.stdout.split()
    assert Path(top).is_relative_to(program.parents[1])
    assert int(migrations) > 0 and int(queries) > 0 and jars == "True"
    beside = {path.name for path in Path(top).parent.iterdir()}
    assert not beside & {"schemas", "streams", "readers", "sinks", "recall", "runtime", "deploy", "tests", "bench"}


def test_the_program_starts_anywhere(program: Path, empty: Path) -> None:
    """The command of the wheel runs and tells its version."""
    said = run(program, "--version", cwd=empty)
    assert said.returncode == 0, said.stderr
    assert said.stdout.startswith("lotstream, version ")


def test_the_demo_runs_from_the_wheel(program: Path, empty: Path) -> None:
    """`lotstream demo` answers its recall from an empty directory, without the checkout."""
    said = run(program, "demo", cwd=empty, timeout_s=300.0)
    assert said.returncode == 0, said.stdout[-4000:] + said.stderr[-4000:]
