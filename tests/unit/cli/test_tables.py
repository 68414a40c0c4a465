"""Answers as people read them."""

from io import StringIO

from rich.console import Console

from lotstream.cli.tables import table


def test_a_bracket_is_a_bracket() -> None:
    """What somebody wrote is shown as it was written, markup of the terminal included."""
    rows = table("", "reason")
    rows.add_row("seal [/b] broken, [red]batch[/red]")
    out = StringIO()
    Console(file=out, width=80).print(rows)
    assert "seal [/b] broken, [red]batch[/red]" in out.getvalue()
