"""Of when a question is asked: instants as people write them. Pure."""

from datetime import UTC, date, datetime, time

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)


def parse_instant(text: str) -> datetime:
    """ISO 8601 with its zone, or a date, which means its last microsecond in UTC. Raises ValueError."""
    at = _whole_day(text) or _with_zone(text)
    if at is None:
        raise ValueError(f"Expected an instant with its zone or a date, like 2026-03-02T10:00:00Z, got {text!r}.")
    if not FIRST <= at < LAST:
        raise ValueError(f"Expected an instant between {FIRST.year} and {LAST.year}, got {text!r}.")
    return at


def _whole_day(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time.max, tzinfo=UTC)
    except ValueError:
        return None


def _with_zone(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
