"""The events of the history as they were sent, page by page."""

from collections.abc import Iterator
from datetime import UTC, datetime

from lotstream.recall.store import ALWAYS, History

PAGE = 5_000
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


def event_texts(
    history: History,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    source: str = "",
    page: int = PAGE,
) -> Iterator[str]:
    """JSON of each event with its @context, each fact once; an error declaration stands beside its event.

    `since` and `until` (aware) bound the event time, the second one outside. Raises ClickhouseAway.
    """
    event, error = "", False
    while True:
        rows = history.ask(
            "exported_events",
            event=event,
            error=error,
            since=since or _FIRST,
            until=until or ALWAYS,
            source=source,
            most=page,
        )
        yield from (str(row["text"]) for row in rows)
        if len(rows) < page:
            return
        event, error = rows[-1]["event"], rows[-1]["error"]
