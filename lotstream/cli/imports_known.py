"""The lines of a file against what the history knows of them: new, unchanged, corrected, or no longer there.

A corrected line is an event of its own, numbered as a revision of the line; the event that it corrects is declared
wrong, as EPCIS has it, and with it everything that followed from it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson

from lotstream.readers.imports.events import event_of
from lotstream.readers.imports.kinds import Kind
from lotstream.readers.imports.lines import Line
from lotstream.recall.store import History
from lotstream.runtime.passage import Passage
from lotstream.runtime.settings import Settings
from lotstream.schemas.epcis import parse_document
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
Name = tuple[str, str, str]  # document, line, lot


@dataclass(frozen=True, slots=True)
class Known:
    """One event about a line."""

    name: Name
    event: str
    text: str
    revision: int
    wrong: bool


@dataclass(slots=True)
class Plan:
    """What is to be sent."""

    events: list[bytes] = field(default_factory=list)
    unchanged: int = 0
    corrected: int = 0
    retracted: int = 0


def await_history(settings: Settings) -> None:
    """Return when the history has what the gateway took until now. Raises Transient."""
    passage = Passage(settings.kafka)
    for group, topic in (("register", EVENTS), ("sink-events", EVENTS), ("sink-documents", DOCUMENTS)):
        ends = passage.ends([settings.topics.name(topic)], partitions=settings.topics.partitions)
        passage.await_passed(settings.group(group), ends, within_s=WITHIN_S)


def known_lines(history: History, lines: Sequence[Line], kind: Kind) -> dict[Name, list[Known]]:
    """Every event about the documents of these lines. Raises ClickhouseAway."""
    documents = sorted({_name(line)[0] for line in lines})
    side = _SIDES.get(kind, "quantityList")
    known: dict[Name, list[Known]] = {}
    for start in range(0, len(documents), AT_ONCE):
        rows = history.ask("document_events", documents=documents[start : start + AT_ONCE], biz_step=LINES[kind])
        for row in rows:
            said = orjson.loads(row["text"])
            # an event about several lots is no row of a file: it is not for a row to correct
            if len({one["epcClass"] for one in said.get(side, ())}) == 1:
                name = row["document"], row["line"], row["lot"]
                one = Known(name, row["event"], row["text"], said.get("lotstream:lineRevision", 0), row["wrong"])
                known.setdefault(name, []).append(one)
    return known


def plan_of(lines: Iterable[Line], known: dict[Name, list[Known]], *, complete: bool, at: datetime) -> Plan:
    """What has to be sent so that the lines hold; of a complete file also that others of its documents do not."""
    plan = Plan()
    there = set()
    for line in lines:
        there.add(_name(line))
        plan.events += _said(line, known.get(_name(line), []), plan=plan, at=at)
    if complete:
        gone = [one for name, said in known.items() if name not in there for one in said if not one.wrong]
        plan.events += [_declared_wrong(one, at=at) for one in gone]
        plan.retracted = len({one.name for one in gone})
    return plan


def _said(line: Line, known: Sequence[Known], *, plan: Plan, at: datetime) -> Iterator[bytes]:
    standing = [one for one in known if not one.wrong]
    same = next((one for one in standing if _hash(replace(line, revision=one.revision)) == one.event), None)
    if same is not None:
        plan.unchanged += 1
        yield from (_declared_wrong(one, at=at, right=same.event) for one in standing if one is not same)
        return
    if known:
        plan.corrected += 1
        line = replace(line, revision=max(one.revision for one in known) + 1)
    yield event_of(line)
    yield from (_declared_wrong(one, at=at, right=_hash(line)) for one in standing)


def _declared_wrong(known: Known, *, at: datetime, right: str = "") -> bytes:
    """The event as it was sent, every digit of it, with its error declaration."""
    declaration = {
        "declarationTime": at.isoformat(timespec="milliseconds"),
        "reason": "incorrect_data" if right else "did_not_occur",
        **({"correctiveEventIDs": [right]} if right else {}),
    }
    return known.text.rstrip()[:-1].encode() + b',"errorDeclaration":' + orjson.dumps(declaration) + b"}"


def _hash(line: Line) -> str:
    (parsed,) = parse_document(event_of(line))
    return parsed.event_hash


def _name(line: Line) -> Name:
    return f"{line.document_type}:{line.document}", line.line, line.lot.removeprefix("https://id.gs1.org/")
