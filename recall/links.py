"""Which documents belong together: one event names both, or one refers to the other; and so on from there."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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


QUERIES = ("links_by_event", "links_by_reference")  # what says which documents are linked to `documents`


def links_of(history: History, documents: Sequence[str]) -> dict[str, list[Link]]:
    """The documents linked to each, nearest first, at most MOST. Raises ClickhouseAway."""
    return _closure(history, documents, first=_told(history, documents) if documents else {})


def papers_of(recipients: Iterable[Recipient]) -> list[str]:
    """The documents of recipients' lines."""
    return sorted({recipient.document for recipient in recipients if recipient.document})


def with_links(
    history: History, recipients: Sequence[Recipient], *, first: Mapping[str, Sequence[Row]]
) -> tuple[Recipient, ...]:
    """Recipients with the documents that are linked to those of their lines; ``first`` answers QUERIES of their
    papers. Raises ClickhouseAway."""
    found = _closure(history, papers_of(recipients), first=first)
    return tuple(
        recipient.model_copy(update={"linked": tuple(link.document for link in found.get(recipient.document, ()))})
        for recipient in recipients
    )


def _told(history: History, documents: Sequence[str]) -> dict[str, list[Row]]:
    return history.ask_all(*QUERIES, documents=documents)


def _closure(history: History, starts: Sequence[str], *, first: Mapping[str, Sequence[Row]]) -> dict[str, list[Link]]:
    """Links by the document that they start from: one question for each step, whatever the number of documents."""
    known: dict[str, list[Link]] = {}  # document -> its neighbours
    asked = set(starts)
    links = _links(set(starts), first)
    for step in range(1, STEPS + 1):
        for link in links:
            known.setdefault(link.before, []).append(link)
        wanted = sorted({link.document for link in links} - asked)[: MOST * step]
        if not wanted or step == STEPS:
            break
        asked |= set(wanted)
        links = _links(set(wanted), _told(history, wanted))
    return {start: _from(start, known) for start in starts}


def _links(documents: Collection[str], told: Mapping[str, Sequence[Row]]) -> list[Link]:
    """The neighbours of documents, each once, in one order."""
    versions = told.get("links_by_reference", ())
    found = {*_by_event(documents, told.get("links_by_event", ()), versions), *_by_reference(documents, versions)}
    return sorted(
        (link for link in found if link.document != link.before),
        key=lambda link: (link.before, link.document, link.via, link.event),
    )


def _by_event(documents: Collection[str], rows: Sequence[Row], versions: Iterable[Row]) -> Iterator[Link]:
    """Documents that an event names beside one of these; a written document is what its newest version says."""
    newest = {row["document"]: row["event"] for row in versions}
    older = {(row["document"], row["event"]) for row in versions} - set(newest.items())
    beside: dict[str, list[str]] = {}
    for row in rows:
        beside.setdefault(row["event"], []).append(row["document"])
    for row in rows:
        document, event = row["document"], row["event"]
        if row["holds"] and document in documents and (document, event) not in older:
            yield from (Link(other, 1, document, "event", event) for other in beside[event])


def _by_reference(documents: Collection[str], versions: Iterable[Row]) -> Iterator[Link]:
    """Documents that the newest version of one of these refers to, and those of which it refers to one of these."""
    for row in {row["document"]: row for row in versions if row["happened"]}.values():
        if row["cancelled"]:
            continue
        for other in row["references"]:
            if row["document"] in documents:
                yield Link(other, 1, row["document"], "reference", row["event"])
            if other in documents:
                yield Link(row["document"], 1, other, "reference", row["event"])


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
