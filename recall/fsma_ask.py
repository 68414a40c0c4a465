"""The question for the FSMA 204 spreadsheet: every critical tracking event of lots, and what is missing of it."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import orjson

from lotstream.recall.edges import Link
from lotstream.recall.find import find_lots
from lotstream.recall.fsma_answer import Fsma, FsmaSheet
from lotstream.recall.fsma_facts import Tracked, missing_of, row_of
from lotstream.recall.fsma_places import Places, subject_of
from lotstream.recall.fsma_rule import CFR, Cte, columns
from lotstream.recall.store import History, Row
from lotstream.recall.trace_answer import Delivery
from lotstream.recall.trace_deliveries import RECEIVED, deliveries_of
from lotstream.recall.trace_facts import HistoryFacts, asked, is_lot
from lotstream.schemas.identifiers import split_lot_key

_SHIPPED = ("shipping", "departing")
PIECES = "H87"  # UN/CEFACT Rec 20: a count of pieces, which serialised items are
_PAPERS = {
    "bol": "Bill of lading",
    "desadv": "Despatch advice",
    "inv": "Invoice",
    "po": "Purchase order",
    "prodorder": "Production order",
    "recadv": "Receiving advice",
}
_TRANSACTION = "urn:epcglobal:cbv:bt:"
_CTE = "lotstream:criticalTrackingEvent"


def fsma(history: History, texts: Sequence[str], *, gtin: str = "") -> Fsma:
    """All critical tracking events of some lots. Raises LotMissing, LotAmbiguous, IdentifierInvalid, ClickhouseAway."""
    history.connect()
    started = time.perf_counter()
    lots = sorted(set(find_lots(history, texts, gtin=gtin).values()))
    # a receipt that brings a lot into our records assigned no code to it
    beginnings = [row for row in asked(history, "fsma_beginnings", "lots", lots) if row["biz_step"] not in RECEIVED]
    deliveries = deliveries_of(history, lots, (*_SHIPPED, *RECEIVED))
    links = _links(history, lots)
    pairs = _pairs(links, set(lots))
    named = {node for pair in pairs for link in pair if is_lot(node := link.node)}
    made_at = {link.node: link.location for link in links if link.output}
    made_at |= {row["lot"]: row["location"] for row in beginnings}
    subjects = _subjects(history, deliveries, beginnings, made_at.values())
    teller = _Teller(history, subjects, lots=sorted(named.union(lots)), made_at=made_at)
    tracked = sorted(
        [
            *(teller.beginning(row) for row in beginnings),
            *(teller.delivery(one) for one in deliveries),
            *(teller.transformation(*pair) for pair in pairs),
        ],
        key=lambda one: (one.cte, one.said["at"], one.lot, one.event),
    )
    rows = [(one, row_of(one, teller.places)) for one in tracked]
    sheets = (
        FsmaSheet(cte=cte, cfr=CFR[cte], columns=columns(cte), rows=tuple(row for one, row in rows if one.cte is cte))
        for cte in Cte
    )
    return Fsma(
        lots=tuple(lots),
        sheets=tuple(sheets),
        missing=tuple(lack for one, row in rows for lack in missing_of(one, row)),
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=round((time.perf_counter() - started) * 1000, 3),
    )


class _Teller:
    """Says of each event what is known, in the words of the table."""

    def __init__(
        self, history: History, subjects: Iterable[str], *, lots: Sequence[str], made_at: Mapping[str, str]
    ) -> None:
        products = {f"01/{split_lot_key(lot)[0]}" for lot in lots}
        masters = asked(history, "fsma_masters", "subjects", {*subjects, *products})
        self.places = Places(history.places(), masters)
        self._food = {row["lot"]: row["description"] for row in asked(history, "trace_names", "lots", lots)}
        self._made_at = made_at

    def beginning(self, row: Row) -> Tracked:
        """A lot comes into being: what its event names as, else the packing of its food."""
        own = _words(row["text"])
        cte = Cte(own[_CTE]) if own.get(_CTE) in set(Cte) else Cte.INITIAL_PACKING
        said = {
            **own, **_much(row["units"] or 0, row["amount"], row["uom"]), **_document(_first_document(row["text"])),
            "product": row["description"] or self._product(row["lot"]), "to": own.get("lotstream:recipient", ""),
        }  # fmt: skip
        return self._tracked(cte, row["lot"], row["event"], at=row["at"], here=row["location"], said=said)

    def delivery(self, one: Delivery) -> Tracked:
        """A shipment or a receipt of a lot."""
        shipped = one.biz_step in _SHIPPED
        said = {
            **_much(one.items, one.amount, one.uom), **_document(one.document), "from": one.origin or one.sender,
            "to": one.location or one.receiver, "made_at": self._made_at.get(one.lot, ""),
        }  # fmt: skip
        cte, here = (Cte.SHIPPING, said["from"]) if shipped else (Cte.RECEIVING, one.location)
        return self._tracked(cte, one.lot, one.event, at=one.at, here=here, said=said)

    def transformation(self, taken: Link, made: Link) -> Tracked:
        """One input and one output of a process."""
        used = {f"in_{name}": text for name, text in self._lot(taken.node, taken).items()}
        said = {**used, **_much(made.items, made.amount, made.uom), **_document(made.document or taken.document)}
        return self._tracked(Cte.TRANSFORMATION, made.node, made.event, at=made.at, here=made.location, said=said)

    def _lot(self, lot: str, link: Link) -> dict[str, str]:
        return {"tlc": lot_code(lot), "product": self._product(lot), **_much(link.items, link.amount, link.uom)}

    def _tracked(self, cte: Cte, lot: str, event: str, *, at: datetime, here: str, said: dict[str, str]) -> Tracked:
        known = {
            "tlc": lot_code(lot), "product": self._product(lot), "here": here, "date": self.places.date(at, here),
            "zone": "known" if self.places.has_zone(here) else "", "at": at.isoformat(),
        }  # fmt: skip
        return Tracked(cte, lot, event, {**known, **said})

    def _product(self, lot: str) -> str:
        if not is_lot(lot):
            return ""
        return self._food.get(lot) or self.places.name(f"01/{split_lot_key(lot)[0]}")


def lot_code(lot: str) -> str:
    """A traceability lot code: GTIN and lot code together, since a lot code alone is not unique."""
    if not is_lot(lot):
        return lot
    gtin, code = split_lot_key(lot)
    return f"(01){gtin}(10){code}"


def _links(history: History, lots: Sequence[str]) -> list[Link]:
    facts = HistoryFacts(history)
    processes = facts.touching(lots, output=True) | facts.touching(lots, output=False)
    return facts.links(sorted(processes))


def _pairs(links: Iterable[Link], lots: set[str]) -> list[tuple[Link, Link]]:
    """Each input of a process with each output, where either is of a lot that was asked for."""
    processes: dict[str, tuple[list[Link], list[Link]]] = {}
    for link in links:
        processes.setdefault(link.process, ([], []))[link.output].append(link)
    return [
        (taken, made)
        for inputs, outputs in processes.values()
        for taken in inputs
        for made in outputs
        if taken.node in lots or made.node in lots
    ]


def _subjects(
    history: History, deliveries: Iterable[Delivery], beginnings: Iterable[Row], made_at: Iterable[str]
) -> set[str]:
    """Everything whose description may be asked for."""
    mapping = {row["id"]: row for row in history.places()}
    said = {key for one in deliveries for key in (one.sender, one.origin, one.receiver, one.location)}
    said |= {*made_at} | {text for row in beginnings for text in _words(row["text"]).values()}
    said |= {row["id"] for row in mapping.values()}
    return {*said, *(subject_of(key, mapping.get(key, {})) for key in said)} - {""}


def _words(text: str) -> dict[str, str]:
    """What an event says in words of master data or of extensions: 'prefix:name' -> text."""
    event = orjson.loads(text)
    ilmd = event.get("ilmd")
    both = {**event, **(ilmd if isinstance(ilmd, dict) else {})}
    return {name: str(value) for name, value in both.items() if ":" in name and isinstance(value, (str, int, float))}


def _first_document(text: str) -> str:
    listed: list[dict[str, Any]] = orjson.loads(text).get("bizTransactionList") or [{}]
    number, kind = listed[0].get("bizTransaction", ""), str(listed[0].get("type", ""))
    return f"{kind.rpartition('BTT-')[2].rpartition(':')[2]}:{number}" if number else ""


def _document(document: str) -> dict[str, str]:
    kind, _, number = document.partition(":")
    if number.startswith(_TRANSACTION):  # CBV 2.0 section 8.5.2: urn:epcglobal:cbv:bt:{gln}:{number}
        number = unquote(number[len(_TRANSACTION) :].partition(":")[2])
    return {"document_type": _PAPERS.get(kind, kind), "document_number": number}


def _much(items: int, amount: Decimal | None, uom: str) -> dict[str, str]:
    if amount is not None and uom:
        return {"amount": f"{amount.normalize():f}", "uom": uom}
    return {"amount": str(items), "uom": PIECES} if items else {"amount": "", "uom": ""}
