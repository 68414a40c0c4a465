"""Which documents belong together: one event names both, or one refers to the other; and so on from there."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lotstream.recall.answers import Recipient
from lotstream.recall.store import History

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


def links_of(history: History, document: str) -> list[Link]:
    """The documents linked to one, nearest first, at most MOST. Raises ClickhouseAway."""
    return _closure(history, [document]).get(document, [])


def with_links(history: History, recipients: Sequence[Recipient]) -> tuple[Recipient, ...]:
    """Recipients with the documents that are linked to those of their lines. Raises ClickhouseAway."""
    found = _closure(history, {recipient.document for recipient in recipients if recipient.document})
    return tuple(
        recipient.model_copy(update={"linked": tuple(link.document for link in found.get(recipient.document, ()))})
        for recipient in recipients
    )


def _closure(history: History, documents: Iterable[str]) -> dict[str, list[Link]]:
    """Links by the document that they start from: one question for each step, whatever the number of documents."""
    known: dict[str, list[Link]] = {}  # document -> its neighbours
    asked: set[str] = set()
    wanted = sorted(set(documents))
    starts = wanted
    for step in range(STEPS):
        if not wanted:
            break
        for row in history.ask("document_links", documents=wanted):
            link = Link(row["linked"], 1, row["document"], row["via"], row["event"])
            known.setdefault(row["document"], []).append(link)
        asked |= set(wanted)
        reached = {link.document for document in wanted for link in known.get(document, ())} - asked
        wanted = sorted(reached)[: MOST * (step + 1)]
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
