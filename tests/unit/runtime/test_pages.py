"""The generated pages."""

from pathlib import Path

import pytest

from lotstream.runtime import metrics_page, settings_page
from lotstream.runtime.metrics import TABLE
from lotstream.runtime.pages import keep, table
from lotstream.runtime.settings import known_keys


def test_pages_name_everything() -> None:
    """Every setting and every metric stands on its page."""
    settings, metrics = settings_page.page(), metrics_page.page()
    for key in known_keys():
        assert f"`LOTSTREAM_{key.replace('.', '__').upper()}`" in settings
    for row in TABLE:
        assert f"`{row.name}`" in metrics


def test_check_fails_when_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--check says what to run when the page is missing or stale, and writes nothing."""
    page = tmp_path / "docs" / "x.md"
    assert keep(page, "a\n", module="m", arguments=["--check"]) == 1
    assert not page.exists()
    assert keep(page, "a\n", module="m", arguments=[]) == 0
    assert keep(page, "a\n", module="m", arguments=["--check"]) == 0
    assert keep(page, "b\n", module="m", arguments=["--check"]) == 1
    assert "python -m m" in capsys.readouterr().err


def test_table_escapes_its_own_sign() -> None:
    """A bar in a cell stays in its cell."""
    assert table(("a", "b"), [("x|y", "z")]) == "| a | b |\n| --- | --- |\n| x\\|y | z |\n"
