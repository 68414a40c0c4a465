"""Writes deploy/locks/core.txt and deploy/locks/build.txt: `python -m lotstream.deploy.core_lock [--check]`.

The parts of requirements.lock that the container image needs: what runs without the extras, and what builds the
wheel. pip takes a lock whole or not at all, so each has a file of its own.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from lotstream.runtime.pages import ROOT, keep

MODULE = "lotstream.deploy.core_lock"
LOCKS = ROOT / "deploy" / "locks"
_BLOCK = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==.*\n(?:    --hash=.*\n)+", re.MULTILINE)

# the images and machines that the lock is for
TARGETS: Sequence[Mapping[str, str]] = tuple(
    {
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{version}.0",
        "python_version": version,
        "sys_platform": "linux",
    }
    for version in ("3.11", "3.12", "3.13", "3.14")
)


class PinMissing(Exception):
    """A declared dependency is not locked."""


def subset(lock: str, wanted: Iterable[str]) -> str:
    """The blocks of `lock` that `wanted` (requirement lines) needs, in the order of the lock.

    Raises PinMissing, and PackageNotFoundError (importlib.metadata) for what is locked and not installed here.
    """
    blocks: dict[str, list[str]] = {}
    for block in _BLOCK.finditer(lock):
        blocks.setdefault(canonicalize_name(block["name"]), []).append(block.group())
    needed = _closure(wanted, locked=set(blocks))
    return "".join("".join(found) for name, found in blocks.items() if name in needed)


def _closure(wanted: Iterable[str], *, locked: set[str]) -> set[str]:
    found: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(r.name), extra) for r in map(Requirement, wanted) for extra in ("", *r.extras)]
    for name, _ in waiting:
        if name not in locked:
            raise PinMissing(f"Expected {name} in requirements.lock, got none: make lock.")
    while waiting:
        name, extra = waiting.pop()
        # what no target needs is not locked
        if (name, extra) in found or name not in locked:
            continue
        found.add((name, extra))
        waiting += _needs(name, extra)
    return {name for name, _ in found}


def _needs(name: str, extra: str) -> Iterator[tuple[NormalizedName, str]]:
    for line in metadata.requires(name) or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({**target, "extra": extra}) for target in TARGETS):
            needed = canonicalize_name(requirement.name)
            yield from ((needed, inner) for inner in ("", *requirement.extras))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check both files."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    parts = {"core.txt": project["project"]["dependencies"], "build.txt": project["build-system"]["requires"]}
    return max(
        keep(LOCKS / name, subset(lock, wanted), module=MODULE, arguments=arguments) for name, wanted in parts.items()
    )


if __name__ == "__main__":
    sys.exit(main())
