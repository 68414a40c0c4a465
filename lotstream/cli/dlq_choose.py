"""Which letters a command means, and whether a person means it."""

from collections.abc import Sequence

import click

from lotstream.cli import dlq_tables
from lotstream.cli.context import console, print_json
from lotstream.cli.dlq_answers import DeadLetterDeeds
from lotstream.readers.letters import Deeds, Filter, Letter, Letterbox, State

letters_argument = click.argument("letters", nargs=-1)


def chosen(box: Letterbox, deeds: Deeds, names: Sequence[str], *, wanted: Filter, closed: bool = False) -> list[Letter]:
    """The letters named, or those that a filter means: the open ones, or all. Raises LetterMissing, UsageError."""
    if names:
        return [box.letter(name) for name in dict.fromkeys(names)]
    if wanted == Filter():
        raise click.UsageError("Expected letters, or --reason, --source, --stage, --topic, --since or --until.")
    return [letter for letter in box.letters(wanted) if closed or deeds.state(letter) is State.OPEN]


def confirm(verb: str, letters: Sequence[Letter], *, yes: bool) -> None:
    """Ask before many letters are dealt with. Raises Abort."""
    if len(letters) > 1 and not yes:
        reasons = ", ".join(sorted({letter.said.reason for letter in letters}))
        click.confirm(f"{verb} {len(letters):,} letters ({reasons})?", abort=True, err=True)


def tell(answer: DeadLetterDeeds, as_json: bool) -> None:
    """What was done."""
    if as_json:
        print_json(answer)
    else:
        dlq_tables.show_deeds(answer, console())
