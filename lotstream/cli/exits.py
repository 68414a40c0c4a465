"""Exit codes: part of the stable surface (docs/stable.md). An exception names the code that it ends with."""

from lotstream.runtime.errors import Rejected, Transient
from lotstream.runtime.settings import SettingsInvalid

EXIT_NO = 1  # the question was understood; the answer is no (not found, differs, not ready, invalid)
EXIT_USAGE = 2  # the command line or the settings are wrong
EXIT_AWAY = 3  # something that is needed does not answer
EXIT_BUG = 70


class Refused(Exception):
    """A command says no, in one line."""


def exit_code(error: Exception) -> int:
    """The exit code of a failure."""
    if isinstance(error, (Refused, Rejected, LookupError)) and not isinstance(error, (KeyError, IndexError)):
        return EXIT_NO
    if isinstance(error, SettingsInvalid):
        return EXIT_USAGE
    return EXIT_AWAY if isinstance(error, Transient) else EXIT_BUG
