"""The door of decisions: claims to lot numbers, master data, holds; and of documents as they are written.

All of a request are taken, or none, and the answer says what is wrong. The identity of a decision is a function of what
was sent: sent again, it is the same decision.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from starlette.responses import Response

from lotstream.readers.answers import answer
from lotstream.readers.batches import Arrival, Target
from lotstream.readers.calls import Call
from lotstream.readers.limits import Floodgate
from lotstream.readers.messages import Message, Sender
from lotstream.runtime.errors import Reason, Rejected
from lotstream.runtime.metrics import Metrics
from lotstream.schemas.base import Stamp, decode
from lotstream.schemas.decisions import (
    DECISION,
    ChangeContent,
    ClaimContent,
    DecisionContent,
    DocumentContent,
    DocumentItem,
    HoldContent,
    decision_hash,
)
from lotstream.schemas.events import Decision, DocumentSaid, HoldDecision, LotChange, LotClaim, RecallDecision
from lotstream.schemas.identifiers import gln, gtin14, lot_key, split_lot_key, tag_key
from lotstream.schemas.lot_numbers import parse_template
from lotstream.schemas.lots import HoldScope
from lotstream.schemas.recalls import (
    Clause,
    Closed,
    Deed,
    ExposedClause,
    IngredientClause,
    LotClause,
    RecallContent,
    ScopeSaid,
    UnitClause,
)

MOST = 1_000  # decisions of one request
_FORMAT = "decisions"


class DecisionDoor:
    """Decisions into events.v1."""

    def __init__(self, events: Target, *, sender: Sender, floodgate: Floodgate, metrics: Metrics) -> None:
        self._events = events
        self._sender = sender
        self._floodgate = floodgate
        self._received = metrics.counter("lotstream_events_received_total")
        self._rejected = metrics.counter("lotstream_events_rejected_total")

    async def decide(self, call: Call) -> Response:
        """POST /decisions: one or an array of them. 201 when they are in the log; a claim's number comes later."""
        arrival = call.arrival.by(call.reader)
        self._floodgate.admit([arrival.source], now_us=arrival.received_us)
        try:
            decided = [decision_of(content, arrival=arrival) for content in _contents(call.body)]
        except Rejected as rejected:
            self._rejected.labels(_FORMAT, rejected.reason.value).inc()
            raise
        await self._sender.send([self._message(decision) for decision in decided])
        self._received.labels(_FORMAT).inc(len(decided))
        names = [_name(decision) for decision in decided]
        return answer({"accepted": len(decided), "decisions": names}, request=arrival.request, status=201)

    def _message(self, decision: Decision) -> Message:
        return self._events.message(decision.subject, decision.encode())


def decision_of(content: DecisionContent, *, arrival: Arrival) -> Decision:
    """A decision as a record of events.v1, its names as keys. Raises Rejected."""
    stamp = Stamp(
        received_us=arrival.received_us, origin=arrival.origin, source=arrival.source, request=arrival.request
    )
    if isinstance(content, ClaimContent):
        gtin = _checked_claim(content)
        return LotClaim(**_given(content) | {"gtin": gtin, "subject": gtin, "stamp": stamp})
    at_us = arrival.received_us if content.at_us is None else content.at_us
    known: dict[str, Any] = {"at_us": at_us, "decision": decision_hash(content), "stamp": stamp}
    if isinstance(content, DocumentContent):
        for issuer in filter(None, (named.issuer for named in (content, *content.references))):
            gln(issuer)
        lines = tuple(map(_item, content.lines))
        return DocumentSaid(**_given(content) | known | {"lines": lines, "subject": content.name})
    if isinstance(content, RecallContent):
        return RecallDecision(**_given(content) | known | {"deed": _deed(content.deed), "subject": content.case})
    lot = _lot(content.lot)
    known |= {"lot": lot, "subject": lot[3:17]}
    if isinstance(content, ChangeContent):
        return LotChange(**_given(content) | known)
    return HoldDecision(**_given(content) | known | {"scope": _scope(content)})


def _given(content: DecisionContent) -> dict[str, Any]:
    return {name: getattr(content, name) for name in type(content).model_fields}


def _scope(content: HoldContent) -> HoldScope:
    return content.scope.model_copy(update={"units": _units(content.scope.units)})


def _deed(deed: Deed) -> Deed:
    if isinstance(deed, Closed):
        return deed.model_copy(update={"release": tuple(map(_lot, deed.release))})
    if isinstance(deed, ScopeSaid):
        lists = {name: tuple(map(_clause, getattr(deed, name))) for name in ("include", "exclude", "drop")}
        return deed.model_copy(update=lists)
    return deed


def _clause(clause: Clause) -> Clause:
    if isinstance(clause, UnitClause):
        return clause.model_copy(update={"unit": tag_key(clause.unit)})
    if isinstance(clause, (LotClause, IngredientClause, ExposedClause)) and clause.lot:
        return clause.model_copy(update={"lot": _lot(clause.lot)})
    return clause


def _lot(key: str) -> str:
    return lot_key(*split_lot_key(key))


def _item(item: DocumentItem) -> DocumentItem:
    goods = item.goods
    if goods:
        is_class = goods.removeprefix("01/").isdigit()
        goods = f"01/{gtin14(goods.removeprefix('01/'))}" if is_class else lot_key(*split_lot_key(goods))
    return item.model_copy(update={"goods": goods, "units": _units(item.units)})


def _units(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(tag_key, texts)))


def _checked_claim(claim: ClaimContent) -> str:
    """The GTIN-14 of a claim that can be answered with a number."""
    gtin = gtin14(claim.gtin)
    if claim.code:
        lot_key(gtin, claim.code)
    else:
        parse_template(claim.template).series(gtin, site=claim.site, line=claim.line, day=claim.production_date)
    return gtin


def _name(decision: Decision) -> dict[str, str]:
    if isinstance(decision, LotClaim):
        return {"kind": decision.kind, "claim": decision.claim, "gtin": decision.gtin}
    if isinstance(decision, DocumentSaid):
        return {"kind": decision.kind, "document": decision.name, "decision": decision.decision}
    if isinstance(decision, RecallDecision):
        return {"kind": decision.kind, "case": decision.case, "decision": decision.decision}
    return {"kind": decision.kind, "lot": decision.lot, "decision": decision.decision}


def _contents(body: bytes) -> Iterator[DecisionContent]:
    try:
        sent = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Rejected(Reason.JSON_INVALID, f"Expected JSON, got {error}.") from None
    items = sent if isinstance(sent, list) else [sent]
    if not 0 < len(items) <= MOST:
        raise Rejected(Reason.SCHEMA_INVALID, f"Expected 1 to {MOST} decisions, got {len(items)}.")
    return (decode(DECISION, orjson.dumps(item)) for item in items)
