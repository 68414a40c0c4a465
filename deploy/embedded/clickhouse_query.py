"""One query on its way through the engine: which of its ways to run it takes, and what it has counted."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lotstream.deploy.embedded.clickhouse_body import PIECE, Body, spool
from lotstream.deploy.embedded.clickhouse_engine import Counts, Handle
from lotstream.deploy.embedded.clickhouse_errors import ClickHouseError, Code, refuse
from lotstream.deploy.embedded.clickhouse_formats import joins
from lotstream.deploy.embedded.clickhouse_native import revise
from lotstream.deploy.embedded.clickhouse_sql import (
    Insertion,
    Statement,
    first_word,
    into_file,
    parse_insertion,
    parse_statement,
)

HEAD = 1 << 18
"""An INSERT names its format within this many bytes."""
MAX_TEXT = 64 << 20
"""The longest query without its data."""
VALUES_IN_TEXT = 1 << 20
"""VALUES up to this many bytes stay in the query, where bind parameters and expressions are the parser's own."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query's text, and what its data are when it is an INSERT that brings them."""

    text: bytes
    statement: Statement
    insertion: Insertion | None = None
    body: Body | None = None


def read_query(written: bytes, body: Body) -> Query:
    """The query of a request, from its URL, its body or both; the data of an INSERT stay unread.

    Raises ClickHouseError.
    """
    head = body.take(HEAD)
    text = written + b"\n" + head if written and head else written + head
    if first_word(text) == "insert":
        insertion = parse_insertion(text)
        if insertion is not None and (insertion.format.lower() != "values" or len(head) == HEAD):
            return Query(text, Statement("insert"), insertion, body)
        if insertion is not None:
            return Query(text, Statement("insert"))
    if len(head) == HEAD:
        text += body.take(MAX_TEXT)
        if body.take(1):
            raise refuse(Code.QUERY_IS_TOO_LARGE, f"Expected a query of at most {MAX_TEXT} bytes, got more.")
    return Query(text, parse_statement(text))


@dataclass(slots=True)
class Run:
    """A query that runs: its output format, bind parameters, and counts."""

    query: Query
    output: str
    params: Mapping[str, str]
    directory: Path
    revised: bool = False
    counts: Counts = field(default_factory=Counts)

    def start(self, handle: Handle, *, whole: bool) -> Iterator[bytes]:
        """The answer piece by piece; with `whole` none comes before the query has ended well.

        Raises ClickHouseError.
        """
        if self.query.insertion is not None:
            return iter([self._insert(handle, self.query.insertion)])
        handle.require_single(self.query.text)
        if not self.query.statement.selects or handle.writes(self.query.text):
            answer = handle.run(self.query.text, output=self.output, params=self.params, counts=self.counts)
            return revise(iter([answer])) if self._revises else iter([answer])
        if self._revises:
            blocks = handle.stream(self.query.text, output=self.output, params=self.params, counts=self.counts)
            return revise(blocks)
        if joins(self.output) and not whole:
            return handle.stream(self.query.text, output=self.output, params=self.params, counts=self.counts)
        return self._select_into_file(handle)

    @property
    def _revises(self) -> bool:
        return self.revised and self.output.lower() == "native"

    def _insert(self, handle: Handle, insertion: Insertion) -> bytes:
        # The engine's parser skips blanks before inline data, which in a binary format are data: they come as a file.
        assert self.query.body is not None
        file = spool(self.query.text[insertion.data :], self.query.body, directory=self.directory)
        try:
            sql = insertion.from_file(f"/proc/self/fd/{file}")
            return handle.run(sql, output=self.output, params=self.params, counts=self.counts)
        finally:
            os.close(file)

    def _select_into_file(self, handle: Handle) -> Iterator[bytes]:
        # Formats with a head, a foot or an index are not their blocks in a row; a file holds them whole.
        file = os.open(self.directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            sql = into_file(self.query.text, self.query.statement, f"/proc/self/fd/{file}")
            handle.run(sql, output=self.output, params=self.params, counts=self.counts)
            self.counts.result_bytes = os.fstat(file).st_size
        except ClickHouseError:
            os.close(file)
            raise
        return _pieces(file)

    def summary(self, elapsed_ns: int) -> str:
        """The text of X-ClickHouse-Summary."""
        counts = self.counts
        facts = {
            "read_rows": counts.read_rows,
            "read_bytes": counts.read_bytes,
            "written_rows": counts.written_rows,
            "written_bytes": counts.written_bytes,
            "total_rows_to_read": counts.read_rows,
            "result_rows": counts.result_rows,
            "result_bytes": counts.result_bytes,
            "elapsed_ns": elapsed_ns,
        }
        return json.dumps({name: str(value) for name, value in facts.items()}, separators=(",", ":"))


def _pieces(file: int) -> Iterator[bytes]:
    try:
        offset = 0
        while piece := os.pread(file, 4 * PIECE, offset):
            offset += len(piece)
            yield piece
    finally:
        os.close(file)
