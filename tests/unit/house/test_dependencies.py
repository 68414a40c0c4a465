"""The lock follows pyproject.toml, the Makefile follows both."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from lotstream import __version__
from lotstream.deploy import notices

ROOT = Path(__file__).resolve().parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()


def wanted() -> list[Requirement]:
    project = PROJECT["project"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    return [Requirement(line) for line in (*PROJECT["build-system"]["requires"], *project["dependencies"], *extras)]


@pytest.mark.parametrize("requirement", wanted(), ids=str)
def test_the_lock_satisfies_pyproject(requirement: Requirement) -> None:
    """Every declared dependency, the build backend too, is locked at a version that it allows."""
    name = re.sub(r"[-_.]+", "-", requirement.name).lower()
    versions = [pin["version"] for pin in notices.PIN.finditer(LOCK) if pin["name"] == name]
    assert versions and all(requirement.specifier.contains(version) for version in versions)


def test_the_version_is_one() -> None:
    """The program tells the version under which it is packaged."""
    assert __version__ == PROJECT["project"]["version"]


def test_notices_refuse_what_has_no_licence() -> None:
    """A locked archive of an unknown group, or a locked package that is not there, is an error."""
    with pytest.raises(notices.LicenceMissing, match=r"org\.unheard"):
        notices.page("", "org.unheard:thing:1.0 abc\n")
    with pytest.raises(notices.LicenceMissing, match="no-such-package"):
        notices.page("no-such-package==1.0 \\\n", "")


def test_notices_read_the_metadata() -> None:
    """The expression comes first, then the short field, then the classifiers; a licence's whole text is passed over."""
    kinds = ["License :: OSI Approved :: MIT License"]
    assert notices.licence({"License-Expression": "MPL-2.0", "License": "x"}, kinds) == "MPL-2.0"
    assert notices.licence({"License": "Apache 2.0"}, kinds) == "Apache-2.0"
    assert notices.licence({"License": "Copyright\nAll rights"}, kinds) == "MIT"
    assert notices.licence({}, []) is None


@pytest.mark.parametrize("target", ["setup", "demo", "test", "bench", "check", "lock", "clean", "generated-check"])
def test_make_has_the_promised_targets(target: str) -> None:
    """Each target that the pages name can be made."""
    # an environment of its own is not made here: the run only prints what it would do
    ran = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_generators_of_the_makefile_exist() -> None:
    """Every generator is a module with a command line of its own."""
    line = re.search(r"^GENERATORS := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert line is not None
    for module in line[1].split():
        source = ROOT / Path(*module.split(".")).with_suffix(".py")
        assert '__name__ == "__main__"' in source.read_text()
