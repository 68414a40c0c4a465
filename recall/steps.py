"""One step back, one step forward: from whom some of a lot, or of what went into it, came, and who received some.

Regulation (EC) 178/2002, article 18; for food of animal origin also what (EU) 931/2011, article 3, asks for.
"""

import time
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field

from lotstream.recall.answers import Answer
from lotstream.recall.find import find_lot
from lotstream.recall.fsma_places import Places, subject_of
from lotstream.recall.store import History
from lotstream.recall.trace_answer import Delivery, Direction, Trace, TraceNode
from lotstream.recall.trace_ask import trace_of_lots
from lotstream.recall.trace_deliveries import RECEIVED, deliveries_of
from lotstream.recall.trace_facts import asked

DISCLAIMER = "Made from the records of lotstream. It supports compliance and certifies nothing."
_SHIPPED = ("shipping", "departing")  # article 18 does not ask for the final consumer


class Party(Answer):
    """A food business: name and address as master data say them; '' for what nobody said."""

    key: str
    name: str = ""
    address: str = ""


class Step(Answer):
    """Some of a lot came from, or went to, another place."""

    lot: str
    description: str = Field(default="", description="of the food")
    sender: Party = Field(description="who sent it; the consignor, where the food left from another place")
    origin: Party | None = Field(default=None, description="from where it was dispatched, where that is not the sender")
    receiver: Party = Field(description="who received it; the consignee, where the food went to another place")
    destination: Party | None = Field(default=None, description="to where it went, where that is not the receiver")
    items: int
    amount: Decimal | None = None
    uom: str = ""
    at: datetime = Field(description="forward: of the dispatch; back: of the receipt")
    dispatched_at: datetime | None = Field(
        default=None, description="back: as the dispatch on the same document says; absent where nobody said"
    )
    document: str = ""
    line: str = ""
    event: str
    missing: tuple[str, ...] = Field(description="what the regulations ask for and no fact says")


class Steps(Answer):
    """`lotstream steps LOT`: one step back and one step forward."""

    kind: Literal["steps"] = "steps"
    v: Literal[1] = 1
    disclaimer: str = DISCLAIMER
    lot: str
    back: tuple[Step, ...] = Field(description="receipts of the lot and of what went into it directly")
    forward: tuple[Step, ...] = Field(description="dispatches of the lot")
    made_from: tuple[str, ...] = Field(description="lots and units that went into it directly")
    made_into: tuple[str, ...] = Field(description="lots and units made from it directly")
    as_of: datetime | None = Field(
        default=None, description="by what had happened by then; by everything, where absent"
    )
    known_at: datetime | None = Field(default=None, description="as known at that instant; now, where absent")
    milliseconds: float


def steps(history: History, text: str, *, gtin: str = "") -> Steps:
    """One step back and forward of a lot. Raises LotMissing, LotAmbiguous, IdentifierInvalid, ClickhouseAway."""
    history.connect()
    started = time.perf_counter()
    lot = find_lot(history, text, gtin=gtin).lot
    back = trace_of_lots(history, [lot], direction=Direction.BACK, depth=1)
    forward = trace_of_lots(history, [lot], direction=Direction.FORWARD, depth=1)
    received = [one for one in back.deliveries if one.biz_step in RECEIVED]
    sent = [one for one in forward.deliveries if one.biz_step in _SHIPPED and one.lot == lot]
    teller = _Teller(history, [*received, *sent], [*back.nodes, *forward.nodes])
    dispatches = deliveries_of(history, {one.lot for one in received if one.document}, _SHIPPED)
    return Steps(
        lot=lot,
        back=tuple(teller.step(one, dispatched_at=_dispatched(one, dispatches)) for one in received),
        forward=tuple(teller.step(one, dispatched_at=one.at) for one in sent),
        made_from=_others(back),
        made_into=_others(forward),
        as_of=history.as_of,
        known_at=history.known_at,
        milliseconds=round((time.perf_counter() - started) * 1000, 3),
    )


class _Teller:
    """Says who and what, as far as it is known."""

    def __init__(self, history: History, deliveries: Iterable[Delivery], nodes: Iterable[TraceNode]) -> None:
        mapping = {row["id"]: row for row in history.places()}
        ends = {key for one in deliveries for key in (one.sender, one.origin, one.receiver, one.location) if key}
        subjects = ends | {subject_of(key, mapping.get(key, {})) for key in ends}
        self._places = Places(mapping.values(), asked(history, "fsma_masters", "subjects", subjects))
        self._food = {node.name: node.description for node in nodes}

    def step(self, one: Delivery, *, dispatched_at: datetime | None) -> Step:
        """A delivery, with its parties described and what is missing of it."""
        sender, receiver, description = self._party(one.sender), self._party(one.receiver), self._food.get(one.lot, "")
        said = {
            "description of the food": description, "sender's name": sender.name, "sender's address": sender.address,
            "receiver's name": receiver.name, "receiver's address": receiver.address,
            "quantity": one.items or one.amount or "", "date of dispatch": dispatched_at,
        }  # fmt: skip
        return Step(
            lot=one.lot,
            description=description,
            sender=sender,
            origin=self._party(one.origin) if one.origin not in ("", one.sender) else None,
            receiver=receiver,
            destination=self._party(one.location) if one.location not in ("", one.receiver) else None,
            items=one.items,
            amount=one.amount,
            uom=one.uom,
            at=one.at,
            dispatched_at=dispatched_at,
            document=one.document,
            line=one.line,
            event=one.event,
            missing=tuple(name for name, text in said.items() if not text),
        )

    def _party(self, key: str) -> Party:
        known = self._places.describe(key)
        address = (known["street_or_geo"], f"{known['zip']} {known['city']}".strip(), known["state"], known["country"])
        return Party(key=key, name=known["business_name"], address=", ".join(filter(None, address)))


def _dispatched(received: Delivery, dispatches: Iterable[Delivery]) -> datetime | None:
    """When what was received had been sent: the newest dispatch of the lot before it, on the same document."""
    of = received.lot, received.document
    sent = [one.at for one in dispatches if (one.lot, one.document) == of and one.at <= received.at]
    return max(sent, default=None) if received.document else None


def _others(traced: Trace) -> tuple[str, ...]:
    return tuple(node.name for node in traced.nodes if node.steps == 1)
