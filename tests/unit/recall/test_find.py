"""What a text can mean, before anything is asked."""

from importlib import resources

import pytest

from lotstream.recall.find import LotAmbiguous, LotMissing, lot_named, unit_named
from lotstream.recall.problems import problem
from lotstream.recall.store import ClickhouseAway, query_text

LOT = "01/10614141073464/10/B1"
UNIT = "01/10614141073464/21/7"


@pytest.mark.parametrize(
    ("text", "lot", "unit"),
    [
        (LOT, LOT, None),
        ("01/10614141073464/10/A%2fB", "01/10614141073464/10/A%2FB", None),
        ("urn:epc:class:lgtin:0614141.107346.B1", LOT, None),
        ("https://id.gs1.org/01/10614141073464/10/B1", LOT, None),
        ("https://id.gs1.org/01/10614141073464/10/B1/21/7", LOT, UNIT),
        ("]C1011061414107346410B1", LOT, None),
        ("]d2011061414107346410B1\x1d217", LOT, UNIT),
        (UNIT, None, UNIT),
        ("urn:epc:id:sgtin:0614141.107346.7", None, UNIT),
        ("01/10614141073464", None, None),
        ("B1", None, None),
        ("AB-12/7", None, None),
        ("10B1", None, None),
        ("17260301", None, None),
        ("", None, None),
        ("01/1061414107346/10/B1", None, None),
        ("01/10614141073465/10/B1", None, None),
        ("\x00\ud800", None, None),
    ],
)
def test_meanings(text: str, lot: str | None, unit: str | None) -> None:
    """A text names a lot in full, one unit, both or neither; what is neither can only be a lot code."""
    assert (lot_named(text), unit_named(text)) == (lot, unit)


def test_problems_are_one_line() -> None:
    """Every failure of a question is a word and one line; another error is no problem of recall's."""
    missing = problem(LotMissing(text="B\n1", what="lot", near=["a", "b"], hint="All."))
    assert missing is not None
    assert (missing.error, missing.near) == ("lot_missing", ("a", "b"))
    assert missing.detail == "Expected a lot that is known, got 'B\\n1'. Near: a, b. All."
    ambiguous = problem(LotAmbiguous("B1", [LOT]))
    assert ambiguous is not None
    assert (ambiguous.error, ambiguous.candidates) == ("lot_ambiguous", (LOT,))
    away = problem(ClickhouseAway("away\nfor now"))
    assert away is not None
    assert (away.error, away.detail) == ("clickhouse_away", "away for now")
    assert problem(RuntimeError("a bug")) is None


def test_queries_say_what_they_answer() -> None:
    """Each query is a file that begins with what it answers."""
    names = [file.name for file in resources.files("lotstream.recall.queries").iterdir() if file.name.endswith(".sql")]
    assert "lot.sql" in names
    assert all(query_text(name.removesuffix(".sql")).startswith("-- ") for name in names)
