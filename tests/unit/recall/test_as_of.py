"""Instants as people write them."""

from datetime import UTC, datetime

import pytest

from lotstream.recall.as_of import parse_instant


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-02T10:00:00Z", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("2026-03-02T10:00:00.000001+01:00", datetime(2026, 3, 2, 9, microsecond=1, tzinfo=UTC)),
        ("20260302T100000Z", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("2026-03-02", datetime(2026, 3, 2, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_instants(text: str, at: datetime) -> None:
    """An instant needs its zone; a date means the end of that day in UTC."""
    assert parse_instant(text) == at


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-03-02T10:00:00", "2026-13-01", "1969-12-31", "2200-01-01", "0001-01-01T00:00:00+05:00"],
)
def test_not_an_instant(text: str) -> None:
    """What has no zone, is no time, or lies where no fact can be, is refused with what was expected."""
    with pytest.raises(ValueError, match=r"Expected an instant .*, got '"):
        parse_instant(text)
