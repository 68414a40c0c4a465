"""lot: a number for a new lot, its record, its holds."""

import click

from lotstream.cli import LazyGroup

LOT = {
    "new": ("lot_decide", "new"),
    "show": ("lot_show", "show"),
    "change": ("lot_decide", "change"),
    "hold": ("lot_decide", "hold"),
    "release": ("lot_decide", "release"),
    "resend": ("lot_decide", "resend"),
    "dossier": ("lot_dossier", "dossier"),
}


@click.group(cls=LazyGroup, lazy=LOT)
def lot() -> None:
    """A number for a new lot, what is known of it, holds on it."""
