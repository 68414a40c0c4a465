"""What the history knows of the lines of a file: those that a complete file leaves out, those declared wrong before."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from lotstream.readers.imports.faults import Fault
from lotstream.readers.imports.kinds import Kind
from lotstream.readers.imports.lines import Line
from lotstream.recall.store import History
from lotstream.runtime.passage import Passage
from lotstream.runtime.settings import Settings
from lotstream.schemas.topics import DOCUMENTS, EVENTS

WITHIN_S = 60.0
AT_ONCE = 500  # documents of one question
# kinds whose rows are lines of documents, and their business step
LINES = {
    Kind.RECEIPTS: "receiving",
    Kind.RETURNS: "receiving",
    Kind.SHIPMENTS: "shipping",
    Kind.COUNTS: "cycle_counting",
    Kind.PRODUCTION: "commissioning",
    Kind.CONSUMPTION: "commissioning",
}
# one order's lines are of two kinds, which the event tells apart
_SIDES = {Kind.PRODUCTION: "outputQuantityList", Kind.CONSUMPTION: "inputQuantityList"}


@dataclass(frozen=True, slots=True)
class Known:
    """One event about a line."""

    line: str
    lot: str
    text: str
    wrong: bool


def await_history(settings: Settings) -> None:
    """Return when the history has what the gateway took until now. Raises Transient."""
    passage = Passage(settings.kafka)
    for group, topic in (("register", EVENTS), ("sink-events", EVENTS), ("sink-documents", DOCUMENTS)):
        ends = passage.ends([settings.topics.name(topic)], partitions=settings.topics.partitions)
        passage.await_passed(settings.group(group), ends, within_s=WITHIN_S)


def known_lines(history: History, lines: Sequence[Line], kind: Kind) -> Iterator[Known]:
    """Every event about the documents of these lines. Raises ClickhouseAway."""
    documents = sorted({f"{line.document_type}:{line.document}" for line in lines})
    side = _SIDES.get(kind, "quantityList")
    for start in range(0, len(documents), AT_ONCE):
        rows = history.ask("document_events", documents=documents[start : start + AT_ONCE], biz_step=LINES[kind])
        yield from (Known(row["line"], row["lot"], row["text"], row["wrong"]) for row in rows if side in row["text"])


def revived(lines: Iterable[Line], known: Iterable[Known]) -> Iterator[Fault]:
    """Lines that were declared wrong: a declaration holds for ever, so that they need another number."""
    wrong = {(one.line, one.lot) for one in known if one.wrong}
    for line in lines:
        if (line.line, _key(line)) in wrong:
            yield Fault(line.row, "", "a line that was not declared wrong before (give it another number)", line.line)


def vanished(lines: Iterable[Line], known: Iterable[Known], *, at: datetime) -> Iterator[bytes]:
    """Error declarations of the lines that a complete file no longer has."""
    there = {(line.line, _key(line)) for line in lines}
    for one in known:
        if not one.wrong and (one.line, one.lot) not in there:
            yield _declared_wrong(one.text, at)


def _declared_wrong(text: str, at: datetime) -> bytes:
    """The event as it was sent, every digit of it, with its error declaration."""
    declaration = {"declarationTime": at.isoformat(timespec="milliseconds"), "reason": "did_not_occur"}
    return text.rstrip()[:-1].encode() + b',"errorDeclaration":' + orjson.dumps(declaration) + b"}"


def _key(line: Line) -> str:
    return line.lot.removeprefix("https://id.gs1.org/")
