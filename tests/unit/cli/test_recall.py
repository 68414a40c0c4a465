"""What `recall scope` understands, before anything is asked of the history."""

import io
from datetime import UTC, datetime
from typing import Any

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from lotstream.cli.main import lotstream as program
from lotstream.cli.recall_options import clause_options, said_of
from lotstream.cli.tables import show
from lotstream.recall.answers import Answer
from lotstream.recall.case import Scope
from lotstream.recall.case_answers import (
    CaseLine,
    Cases,
    CaseStatus,
    LotInScope,
    ScopeChange,
    ScopeClause,
    Size,
    TrailEntry,
)
from lotstream.recall.clauses import words
from lotstream.recall.store import History
from lotstream.runtime.errors import Rejected
from lotstream.runtime.settings import ClickhouseSettings
from lotstream.schemas.recalls import LotClause, SupplierClause

GTIN = "09521234543213"
KNOWN = Scope((LotClause(lot=f"01/{GTIN}/10/A"),), (SupplierClause(code="S"),))


def said(*options: str) -> tuple[list[str], list[str], list[str]]:
    """Clauses in words: in the scope, taken out of it, dropped."""
    found: list[Any] = []

    @click.command()
    @clause_options
    def scope(**given: Any) -> None:
        found.append(said_of(History(ClickhouseSettings()), KNOWN, given))

    scope.main(list(options), standalone_mode=False)
    (one,) = found
    return ([], [], []) if one is None else tuple([*map(words, some)] for some in (one.include, one.exclude, one.drop))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("options", "clause"),
    [
        (["--add-serials", "9521234543213:1..20,7"], f"serials 1..20, 7 of {GTIN}"),
        (["--add-unit", "00/106141411234567897"], "unit 00/106141411234567897"),
        (["--add-supplier-lot", "S/1 %'"], "supplier's lot S/1 %'"),
        (
            ["--add-produced", "P1", "--line", "3", "--from", "2026-03-02", "--to", "2026-03-02T10:00:00+01:00"],
            "made at P1 line 3 from 2026-03-02T00:00:00Z to 2026-03-02T09:00:00Z",
        ),
        (
            ["--add-exposed", "Hall", "--from", "2026-03-02", "--to", "2026-03-02"],
            "at Hall from 2026-03-02T00:00:00Z to 2026-03-02T23:59:59Z",
        ),
    ],
)
def test_clauses(options: list[str], clause: str) -> None:
    """Each option is a clause; a date begins with its first and ends with its last moment; --exclude takes out."""
    assert said(*options) == ([clause], [], [])
    assert said(*(option.replace("--add-", "--exclude-") for option in options)) == ([], [clause], [])


def test_clauses_are_dropped_by_number() -> None:
    """Numbers are those that status shows; without options nothing is said."""
    assert said("--drop", "2", "--drop", "1") == ([], [], ["supplier's lot S", f"lot 01/{GTIN}/10/A"])
    assert said() == ([], [], [])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--drop", "3"], "Expected the number of a clause, 1 to 2, got 3"),
        (["--add-exposed", "Hall"], "Expected a window"),
        (["--add-exposed", "Hall", "--from", "2026-03-02"], "half of one"),
        (["--serials", "1..5"], "Expected an option for lot with --serials"),
        (["--add-lot", "A", "--exclude-lot", "B", "--serials", "1..5"], "Expected one lot with --serials"),
        (["--add-supplier-lot", "S", "--to", "2026-03-02"], "unit or produced or exposed with --to"),
        (["--add-serials", f"{GTIN}:1-5"], "Expected serials like 1..200"),
    ],
)
def test_nothing_is_ignored(options: list[str], expected: str) -> None:
    """An option that would say nothing, or too much, is refused with what was expected."""
    with pytest.raises(click.UsageError, match=expected):
        said(*options)


def test_a_window_goes_forward() -> None:
    """A window that ends before it begins is refused."""
    with pytest.raises(Rejected, match="a beginning before the end"):
        said("--add-exposed", "Hall", "--from", "2026-03-03", "--to", "2026-03-02")


def test_every_command_is_there() -> None:
    """The group has its commands, also those that are imported when they are called."""
    shown = CliRunner().invoke(program, ["recall", "--help"])
    assert shown.exit_code == 0
    for name in ("open", "scope", "initiate", "status", "close", "list", "record", "report"):
        assert f"\n  {name} " in shown.output


def test_what_people_wrote_is_shown_as_it_is() -> None:
    """Words in brackets are no markup: of titles, reasons, clauses, products."""
    words = "[/b] [red]x"
    case = CaseLine(
        case="R1", recall="recall", mock=True, state="mock", title=words, opened_at=datetime(2026, 3, 2, tzinfo=UTC),
        elapsed_s=61.0, scope_version=1,
    )  # fmt: skip
    clause = ScopeClause(number=1, excluded=False, clause={}, words=words)
    entry = TrailEntry(
        step="scope", at=datetime(2026, 3, 2, tzinfo=UTC), by=words, reason=words, version=1, refused="", said={},
        decision="d",
    )  # fmt: skip
    size = Size(lots=1, items=0, amounts={}, containers=0)
    lot = LotInScope(
        lot=f"01/{GTIN}/10/A", description=words, whole=True, items=0, amounts={}, because=("other", words)
    )  # fmt: skip
    answers = (
        Cases(cases=(case,), milliseconds=1),
        CaseStatus(
            case=case, team=(words,), stages=(), clauses=(clause,), holds=(), holds_wanted=1, trouble=words,
            not_held=(lot.lot,), trail=(entry,), milliseconds=1,
        ),
        ScopeChange(
            case="R1", state="mock", version=1, recorded=False, clauses=(clause,), before=size, after=size,
            added=(lot,), removed=(), lots=(lot,), containers=(), milliseconds=1,
        ),
    )  # fmt: skip
    shown = [_shown(answer) for answer in answers]
    assert all(words in text for text in shown)
    assert f"not yet held, 1 lots: {lot.lot}" in shown[1] and "lotstream recall initiate R1 --reason" in shown[1]
    assert "0:01:01" in shown[0] and "other, 1" in shown[2] and "Only tried" in shown[2]


def _shown(answer: Answer) -> str:
    out = Console(file=io.StringIO(), width=200)
    show(answer, out)
    return out.file.getvalue()  # type: ignore[attr-defined, no-any-return]
