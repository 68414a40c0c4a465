"""What must hold for every file of the tree."""

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("lotstream/cli", "readers", "streams", "sinks", "recall", "schemas", "runtime", "deploy")

# written in pieces, so that this file passes its own test
HOSTS = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "repo.maven." + "apache.org",
    "repo1." + "maven.org",
    "maven." + "google.com",
    "registry." + "npmjs.org",
    "docker" + ".io",
    "ghcr" + ".io",
    "quay" + ".io",
    "conda." + "anaconda.org",
]
OPTIONS = ["--" + "index-url", "--extra-" + "index-url", "--find-" + "links", "--trusted-" + "host"]
MACHINE_PATH = re.compile(r"(?:^|[\s=\"'`(:,])/(?:root|home|Users|work)/\w", re.MULTILINE)


@cache
def texts() -> dict[str, str]:
    """Every text file that git knows or would add, by path."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout: the list of its files is not known")
    found: dict[str, str] = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and not any(part.is_symlink() for part in (path, *path.parents) if part != ROOT):
            try:
                found[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
    return found


def modules() -> dict[str, str]:
    """The product's own modules, without tests and bench."""
    return {name: text for name, text in texts().items() if name.endswith(".py") and name.startswith(ROOMS)}


def test_no_registry_is_named() -> None:
    """No file names a package registry or an index address: where packages come from is the site's choice."""
    found = [
        f"{name}: {word}"
        for name, text in texts().items()
        for word in (*HOSTS, *OPTIONS)
        if word in text and f"no-emit-{word.removeprefix('--')}" not in text
    ]
    assert found == []


def test_no_machine_path_is_named() -> None:
    """No file names a folder of the machine it was written on."""
    here = [str(path) for path in (ROOT, ROOT.parent, Path.home()) if len(path.parts) > 1]
    found = [
        name
        for name, text in texts().items()
        if MACHINE_PATH.search(text) or any(f"{folder}/" in text for folder in here)
    ]
    assert found == []


def test_the_lock_is_pinned_hashed_and_without_address() -> None:
    """Every locked package has one version and at least one hash, and the lock says nothing else."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pin = re.compile(r"[a-z0-9][a-z0-9._-]*==[^\s;]+( ; [^\\#@]+)? \\")
    digest = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [line for line in lines if not (pin.fullmatch(line) or digest.fullmatch(line))] == []
    pins = [index for index, line in enumerate(lines) if pin.fullmatch(line)]
    assert len(pins) > 50
    assert all(digest.fullmatch(lines[index + 1]) for index in pins)


def test_modules_and_functions_stay_small() -> None:
    """No module is longer than 450 lines and no function longer than 50."""
    found: list[str] = []
    for name, text in modules().items():
        if text.count("\n") > 450:
            found.append(f"{name}: {text.count(chr(10))} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > 50:
                    found.append(f"{name}: {node.name} has {length} lines")
    assert found == []


def test_nothing_is_left_to_do() -> None:
    """No module carries a note of unfinished work."""
    notes = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|NotImplemented" + r"Error)\b")
    assert [name for name, text in modules().items() if notes.search(text)] == []


def swallows_everything(node: ast.AST) -> bool:
    """Whether this is a handler of everything that does more than clean up and raise again."""
    if not isinstance(node, ast.ExceptHandler) or (isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None):
        return False
    names = {inner.id for inner in ast.walk(node.type) if isinstance(inner, ast.Name)} if node.type else {"Exception"}
    return bool(names & {"Exception", "BaseException"})


def test_broad_except_stands_in_two_places_at_most() -> None:
    """Only the guard around a stage and main may catch everything and go on."""
    places = [
        f"{name}:{getattr(node, 'lineno', 0)}"
        for name, text in modules().items()
        for node in ast.walk(ast.parse(text))
        if swallows_everything(node)
    ]
    assert len(places) <= 2, places
