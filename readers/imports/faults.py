"""What is wrong with a row, and what was accepted though it looks odd."""

from dataclasses import dataclass


class RowInvalid(Exception):
    """A cell that cannot be taken: in which column, what was expected, what stands there."""

    def __init__(self, column: str, expected: str, got: object) -> None:
        self.column = column
        self.expected = expected
        self.got = got if isinstance(got, str) else repr(got)
        super().__init__(f"{column}: Expected {expected}, got {self.got!r}.")


class TableInvalid(Exception):
    """The file as a whole is not what the map describes; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that is not taken."""

    row: int
    column: str
    expected: str
    got: str

    @staticmethod
    def of(row: int, invalid: RowInvalid) -> "Fault":
        """The fault of a row that was refused."""
        return Fault(row, invalid.column, invalid.expected, invalid.got)


@dataclass(frozen=True, slots=True)
class Flag:
    """A row that is taken, or passed over, for a reason that a person should see."""

    row: int
    note: str
