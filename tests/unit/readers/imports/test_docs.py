"""The page of imports does what it says."""

import re
from pathlib import Path

from lotstream.readers.imports.import_map import parse_map
from lotstream.readers.imports.kinds import FORMS, Kind

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "import.md").read_text(encoding="utf-8")


def test_the_map_of_the_page_is_a_map() -> None:
    """Every entry that the page shows is understood."""
    (shown,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    rules = parse_map(shown, name="page")
    assert (rules.file.header, rules.units, rules.kinds[Kind.RECEIPTS].constants["location"]) == (
        3,
        {"KAR": "CT"},
        "P100",
    )


def test_every_kind_and_field_is_on_the_page() -> None:
    """What can be imported is what the page lists, field by field."""
    assert set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)))) >= set(Kind)
    fields = {str(field) for kind in Kind if kind not in ("locations", "parties") for field in FORMS[kind].optional}
    assert [field for field in sorted(fields - {"code"}) if f"`{field}`" not in PAGE] == []
