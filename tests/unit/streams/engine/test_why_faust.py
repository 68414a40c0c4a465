"""docs/why-faust.md lists every deviation from Faust, each with a test that exists."""

import inspect
import re
from pathlib import Path

from lotstream.streams.engine import deviations

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/why-faust.md").read_text()
TESTS = "\n".join(file.read_text() for file in ROOT.glob("tests/*/**/engine/test_*.py"))


def own_methods() -> set[str]:
    """Class.method of everything that a class of the module defines."""
    classes = [
        kind for _, kind in inspect.getmembers(deviations, inspect.isclass) if kind.__module__ == deviations.__name__
    ]
    return {
        f"{kind.__name__}.{name}"
        for kind in classes
        for name, value in vars(kind).items()
        if inspect.isfunction(value) or isinstance(value, property)
    }


def test_every_deviation_is_listed() -> None:
    """The page names each method of the module, in the table or as what puts the classes in their places."""
    listed = set(re.findall(r"^\| `(Stage\w+\.\w+)`", PAGE, re.MULTILINE))
    rest = {method for method in own_methods() - listed if f"`{method.partition('.')[2]}`" not in PAGE}
    assert rest == set()
    assert listed <= own_methods()


def test_every_test_that_is_named_exists() -> None:
    """No deviation stands there with a test that is gone."""
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert {name for name in named if f"def {name}(" not in TESTS} == set()
    files = set(re.findall(r"`(test_\w+\.py)`", PAGE))
    assert {name for name in files if not list(ROOT.glob(f"tests/*/**/engine/{name}"))} == set()
