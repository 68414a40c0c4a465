"""Each import is a fact: who brought in which file, when, by which map, and what became of it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lotstream.runtime.errors import Rejected
from lotstream.runtime.log import read_log
from lotstream.runtime.settings import Settings
from lotstream.schemas.base import decode
from lotstream.schemas.operations import OPERATION, Action, Operation
from lotstream.schemas.topics import OPERATIONS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ImportResult(BaseModel):
    """What became of an import: the `result` of its operation."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    what: str = Field(description="receipts, production, …")
    map: str = Field(description="name of the map")
    map_sha256: str
    rows: int = Field(description="rows below the header")
    faults: int = Field(description="rows that were not taken")
    accepted: int = Field(description="events that the gateway took")
    rejected: int = Field(description="events that went to the dead letters")
    unchanged: int = Field(default=0, description="lines that were known so already")
    corrected: int = Field(default=0, description="lines that were known otherwise")
    retracted: int = Field(description="lines of earlier files that were declared wrong")


class ImportFact(ImportResult):
    """One import, as `--list` shows it."""

    at: datetime
    by: str
    file: str
    sha256: str


class Imports(BaseModel):
    """`lotstream import --list`: what was brought in, oldest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["imports"] = "imports"
    v: Literal[1] = 1
    imports: tuple[ImportFact, ...]


def operation(result: ImportResult, *, file: str, sha256: str, by: str, at: datetime) -> Operation:
    """The fact, as it stands in operations.v1."""
    return Operation(
        action=Action.IMPORT,
        subject=f"{result.what}:{file}"[:200],
        digest=sha256,
        by=by[:200],
        result=result.model_dump_json(),
        at_us=(at - _EPOCH) // timedelta(microseconds=1),
    )


def imports(settings: Settings) -> Imports:
    """Every import of the log. Raises Transient when the brokers do not answer."""
    found = sorted(_facts(settings), key=lambda fact: fact.at)
    return Imports(imports=tuple(found))


def _facts(settings: Settings) -> Iterator[ImportFact]:
    for record in read_log(settings.kafka, settings.topics.name(OPERATIONS)):
        try:
            done = decode(OPERATION, record.value)
            if done.action is Action.IMPORT:
                yield fact_of(done)
        except (Rejected, ValidationError):
            continue  # of a later version


def fact_of(done: Operation) -> ImportFact:
    """The import that an operation tells of. Raises ValidationError."""
    result = ImportResult.model_validate_json(done.result)
    return ImportFact(
        **result.model_dump(),
        at=_EPOCH + timedelta(microseconds=done.at_us),
        by=done.by,
        file=done.subject.removeprefix(f"{result.what}:"),
        sha256=done.digest,
    )
