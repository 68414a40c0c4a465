"""lotstream: the program."""

import sys
import traceback
from pathlib import Path

import click

from lotstream import __version__
from lotstream.cli import LazyGroup
from lotstream.cli.exits import EXIT_BUG, EXIT_USAGE, exit_code


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lotstream")
@click.option(
    "--config", type=click.Path(path_type=Path, exists=True), help="Settings file (else lotstream.toml here)."
)
def lotstream(config: Path | None) -> None:
    """From the tag read to the recall answer."""


def main() -> None:
    """Run a command; say what went wrong in one line, and exit with the code that stands for it."""
    try:
        sys.exit(lotstream.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the one place that tells a person instead of a stack trace
        code = exit_code(error)
        if code == EXIT_BUG:
            traceback.print_exc()
        else:
            sys.stderr.write(f"lotstream: {error}\n")
        sys.exit(code)


if __name__ == "__main__":
    main()
