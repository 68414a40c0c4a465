"""An import as a fact of operations.v1."""

from datetime import UTC, datetime

from lotstream.readers.imports.ledger import ImportResult, fact_of, operation
from lotstream.schemas.base import decode
from lotstream.schemas.operations import OPERATION, parked

RESULT = ImportResult(
    what="receipts", map="our.toml", map_sha256="b" * 64, rows=3, faults=1, accepted=2, rejected=0, retracted=0
)


def test_the_fact_says_who_brought_in_what() -> None:
    """What is recorded of an import is read back whole, through the wire."""
    at = datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)
    done = operation(RESULT, file="goods:in.csv", sha256="a" * 64, by="ann", at=at)
    fact = fact_of(decode(OPERATION, done.encode()))
    assert (fact.by, fact.file, fact.sha256, fact.at) == ("ann", "goods:in.csv", "a" * 64, at)
    assert ImportResult(**fact.model_dump(include=set(ImportResult.model_fields))) == RESULT


def test_an_import_parks_nothing() -> None:
    """Processes that look for parked records pass over imports."""
    at = datetime(2026, 3, 2, tzinfo=UTC)
    assert parked([operation(RESULT, file="f", sha256="a" * 64, by="ann", at=at).encode()]) == {}
