"""What README.md shows and counts is so."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from lotstream.cli.main import lotstream as program
from lotstream.readers.formats import impinj
from lotstream.readers.world.plan import Scale

README = (Path(__file__).resolve().parents[3] / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"^\$ lotstream (.*)\n((?:(?!```|\$ ).*\n)*)", README.split("```console\n", 1)[1], re.M)


@pytest.mark.parametrize(("command", "shown"), SHOWN)
def test_shown_output_is_the_output(command: str, shown: str) -> None:
    """Each command of a console example prints what stands below it."""
    ran = CliRunner().invoke(program, shlex.split(command))
    assert ran.exit_code == 0, ran.exception
    assert ran.output.splitlines() == shown.splitlines()


def test_the_demo_is_as_large_as_told() -> None:
    """The numbers of lots are those of the demo."""
    scale = Scale()
    assert f"of {scale.lots} lots of tagged items and {scale.weight_lots} lots by weight" in README.replace("\n", " ")


def test_the_posted_example_is_understood() -> None:
    """The body of the curl example is one read."""
    body = re.search(r"-d '(\[.*?\])'$", README, re.M | re.S)
    assert body is not None
    parsed = impinj.parse(body[1].encode())
    assert len(parsed.reads) == 1 and not parsed.refused


def test_targets_named_are_made() -> None:
    """Each make target of the README is one of the Makefile, with the options that the demo has."""
    makefile = (Path(__file__).resolve().parents[3] / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"\bmake (\w+)", README)) - {"make"}
    assert all(re.search(rf"^{target}:", makefile, re.M) for target in targets), targets
    demo = program.get_command(CliRunner(), "demo")  # type: ignore[arg-type]
    assert demo is not None
    options = {name for parameter in demo.params for name in parameter.opts}
    assert set(re.findall(r"ARGS=(--\w+)", README)) <= options
