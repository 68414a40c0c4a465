"""Documents as they were written, as facts: a record of each version, and its lines. Pure."""

from lotstream.schemas.documents import DocumentLine, DocumentRecord, DocumentsMessage
from lotstream.schemas.events import DocumentSaid


def written(said: DocumentSaid) -> list[DocumentsMessage]:
    """The record of a document, and a line for each of its lines; none of one that is cancelled."""
    record = DocumentRecord(
        document=said.name,
        event=said.decision,
        at_us=said.at_us,
        from_party=said.from_party,
        to_party=said.to_party,
        references=tuple(dict.fromkeys(other.name for other in said.references)),
        cancelled=said.cancelled,
        recorded_us=said.stamp.received_us,
    )
    lines = (
        DocumentLine(
            document=said.name,
            line=item.line,
            biz_step="",
            event=said.decision,
            at_us=said.at_us,
            lot=item.goods,
            units=item.units,
            amount=item.amount,
            uom=item.uom,
            from_party=said.from_party,
            to_party=said.to_party,
            recorded_us=said.stamp.received_us,
        )
        for item in said.lines
    )
    return [record] if said.cancelled else [record, *lines]
