"""Which documents belong together: one event names both, or one refers to the other; and so on from there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lotstream.recall.answers import Recipient
from lotstream.recall.store import History, Row

STEPS = 4  # order, delivery note, invoice, bill of lading: as far apart as documents of one shipment are
MOST = 200


@dataclass(frozen=True, slots=True)
class Link:
    """A document, how many steps away, and what links it to the one before it."""

    document: str
    steps: int
    before: str
    via: str  # 'event' or 'reference'
    event: str


def links_of(history: History, documents: Sequence[str]) -> dict[str, list[Link]]:
    """The documents linked to each, nearest first, at most MOST. Raises ClickhouseAway."""
    first = history.ask("document_links", documents=documents) if documents else []
    return _closure(history, documents, first=first)


def papers_of(recipients: Iterable[Recipient]) -> list[str]:
    """The documents of recipients' lines."""
    return sorted({recipient.document for recipient in recipients if recipient.document})


def with_links(history: History, recipients: Sequence[Recipient], *, first: Sequence[Row]) -> tuple[Recipient, ...]:
    """Recipients with the documents that are linked to those of their lines; ``first`` answers document_links of
    their papers. Raises ClickhouseAway."""
    found = _closure(history, papers_of(recipients), first=first)
    return tuple(
        recipient.model_copy(update={"linked": tuple(link.document for link in found.get(recipient.document, ()))})
        for recipient in recipients
    )


def _closure(history: History, starts: Sequence[str], *, first: Sequence[Row]) -> dict[str, list[Link]]:
    """Links by the document that they start from: one question for each step, whatever the number of documents."""
    known: dict[str, list[Link]] = {}  # document -> its neighbours
    asked = set(starts)
    rows = first
    for step in range(1, STEPS + 1):
        for row in rows:
            link = Link(row["linked"], 1, row["document"], row["via"], row["event"])
            known.setdefault(row["document"], []).append(link)
        wanted = sorted({row["linked"] for row in rows} - asked)[: MOST * step]
        if not wanted or step == STEPS:
            break
        asked |= set(wanted)
        rows = history.ask("document_links", documents=wanted)
    return {start: _from(start, known) for start in starts}


def _from(start: str, known: dict[str, list[Link]]) -> list[Link]:
    found: dict[str, Link] = {}
    edge = [start]
    for steps in range(1, STEPS + 1):
        following = []
        for document in edge:
            for link in known.get(document, ()):
                if link.document != start and link.document not in found and len(found) < MOST:
                    found[link.document] = Link(link.document, steps, document, link.via, link.event)
                    following.append(link.document)
        edge = following
    return list(found.values())
