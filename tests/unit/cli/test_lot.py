"""`lotstream lot`: what is wrong with a decision is said before it is sent."""

import pytest
from click.testing import CliRunner

from lotstream.cli.lot import lot

LOT = "01/09521234543213/10/A"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hold", LOT, "--reason", "x", "--serials", "5..3"], "first <= last"),
        (["hold", LOT, "--reason", "x", "--serials", "5-9"], "Expected serials like 1..200 or 7, got '5-9'."),
        (["hold", LOT, "--reason", "x", "--site", "a", "--quantity", "5 KGM"], "Expected one kind of scope"),
        (["hold", LOT, "--reason", "x", "--quantity", "much"], "Expected an amount above 0 and a unit"),
        (["hold", LOT, "--reason", "x", "--quantity", "-1 KGM"], "Expected an amount above 0 and a unit"),
        (["hold", LOT, "--reason", "x", "--unit", "nonsense"], "Expected"),
        (["hold", LOT, "--reason", ""], "at least 1 character at reason"),
        (["hold", LOT], "Missing option '--reason'"),
        (["new", "09521234543214"], "check digit"),
        (["new", "09521234543213", "--code", "A", "--template", "B{seq:02}"], "a template or a code, not both"),
        (["new", "09521234543213", "--code", "X" * 21], "at most 20 characters at code"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], said: str) -> None:
    """Each mistake ends with what was expected, and nothing is sent."""
    ran = CliRunner().invoke(lot, [*words, "--url", "http://127.0.0.1:9"])
    assert ran.exit_code != 0
    assert said in f"{ran.output} {ran.exception}"
