"""`lotstream import` without a stack: checking writes nothing, forms are filled in and read back."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lotstream.cli.imports import import_command
from lotstream.readers.imports.kinds import Kind


def run(*words: str | Path) -> Any:
    """The command's end and words."""
    return CliRunner().invoke(import_command, [str(word) for word in words], obj=None)


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
@pytest.mark.parametrize("kind", list(Kind))
def test_each_form_is_read_back(tmp_path: Path, kind: Kind, suffix: str) -> None:
    """The form of every kind, as it is written, is a right file of that kind."""
    form = tmp_path / f"form.{suffix}"
    assert run("--template", kind, "--out", form).exit_code == 0
    checked = run(form, "--as", kind, "--check", "--json")
    answer = json.loads(checked.output)
    assert (checked.exit_code, answer["lines"], answer["faults"], answer["sent"]) == (0, 1, [], False)


def test_a_wrong_row_is_shown_and_the_exit_says_so(tmp_path: Path) -> None:
    """People see row, column, what was expected and what stands there; the totals are of what is right."""
    form = tmp_path / "form.csv"
    run("--template", "counts", "--out", form)
    head, row = form.read_text().splitlines()
    form.write_text("\n".join([head, row, row.replace("1250.5", "12.5.0")]) + "\n")
    checked = run(form, "--as", "counts", "--check")
    assert checked.exit_code == 1
    for word in ("Not taken", "3", "amount", "12.5.0", "1250.5 kg", "2 rows: 1 lines, 1 wrong; nothing sent"):
        assert word in checked.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--as", "counts"), "Expected FILE and --as"),
        (("FORM", "--as", "lots", "--complete"), "Expected --complete with"),
        (("--template", "lots", "--out", "form.pdf"), "Expected FILE.csv or FILE.xlsx"),
    ],
)
def test_a_wrong_command_line_is_named(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """Options that mean nothing together are refused."""
    form = tmp_path / "form.csv"
    form.write_text("product,lot\n")
    done = run(*(str(form) if word == "FORM" else word for word in words))
    assert done.exit_code == 2
    assert said in done.output
