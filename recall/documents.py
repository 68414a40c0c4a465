"""What is on a document, and which others belong to it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from lotstream.recall.answers import Document, DocumentLine, Documents, LinkedDocument
from lotstream.recall.ask import start, took_ms
from lotstream.recall.find import DocumentMissing
from lotstream.recall.links import links_of
from lotstream.recall.store import History, Row


def documents(history: History, number: str, *, limit: int = 1000) -> Documents:
    """The documents of a number, in full (type:number) or not; lines at most ``limit``, over all of them.

    Raises DocumentMissing, ClickhouseAway.
    """
    started = start(history)
    number = number.strip()
    named = [row["document"] for row in history.ask("documents_named", number=number)] if number else []
    if not named:
        raise DocumentMissing(text=number, what="document", near=[])
    told = history.ask_all("document_lines", "document_heads", documents=named, limit=limit + 1)
    lines = _by_document(told["document_lines"][:limit])
    heads = {row["document"]: row for row in told["document_heads"]}
    return Documents(
        documents=tuple(_document(history, name, lines=lines[name], heads=heads) for name in named),
        truncated=len(told["document_lines"]) > limit,
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=took_ms(started),
    )


def _by_document(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["document"]].append(row)
    return found


def _document(history: History, name: str, *, lines: Sequence[Row], heads: Mapping[str, Row]) -> Document:
    kind, _, number = name.partition(":")
    head = heads.get(name)
    said = [head] if head is not None else lines
    return Document(
        document=name,
        type=kind,
        number=number,
        at=min((row["at"] for row in said), default=None),
        from_party=_one(row["from_party"] for row in said),
        to_party=_one(row["to_party"] for row in said),
        cancelled=head is not None and head["cancelled"],
        lines=tuple(DocumentLine.model_validate(_line(row)) for row in lines),
        linked=tuple(
            LinkedDocument(document=link.document, steps=link.steps, before=link.before, via=link.via, event=link.event)
            for link in links_of(history, [name])[name]
        ),
    )


def _line(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "document"}


def _one(words: Iterable[str]) -> str:
    """The word that all say who say any; '' when they differ."""
    said = {word for word in words if word}
    return said.pop() if len(said) == 1 else ""
