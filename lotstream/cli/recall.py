"""recall: a case from its opening to its close."""

import click

from lotstream.cli import LazyGroup

RECALL = {
    "open": ("recall_decide", "open_case"),
    "status": ("recall_status", "status"),
    "list": ("recall_status", "list_cases"),
    "scope": ("recall_decide", "scope"),
    "initiate": ("recall_decide", "initiate"),
    "close": ("recall_decide", "close"),
    "record": ("recall_record", "record"),
    "report": ("recall_report", "report"),
}


@click.group(cls=LazyGroup, lazy=RECALL)
def recall() -> None:
    """A recall case: opened, its scope said, initiated, closed; or a mock one, against the clock."""
