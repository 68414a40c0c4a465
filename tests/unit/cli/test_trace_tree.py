"""A trace as people read it."""

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rich.console import Console

from lotstream.cli.trace_tree import show_trace
from lotstream.recall.trace_answer import Delivery, Direction, Trace, TraceEdge, TraceNode, TracePlace

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
A, B = "01/90614141000411/10/A", "01/90614141000411/10/B"


def edge(kind: Any, source: str, target: str, **given: Any) -> TraceEdge:
    return TraceEdge(kind=kind, source=source, target=target, event="ni:///sha-256;0123456789abcdef?ver=CBV2.0",
                     biz_step="creating_class_instance", at=T0, **{"items": 0, **given})  # fmt: skip


def test_a_tree_tells_everything_once() -> None:
    """A circle ends with '(above)'; amounts, events, deliveries and the cap are told."""
    answer = Trace(
        direction=Direction.FORWARD,
        starts=(A,),
        capped="depth",
        nodes=(TraceNode(name=A, steps=0, supplier_code="S[1]"), TraceNode(name=B, steps=1, description="Cheese")),
        edges=(
            edge("input", A, "p", amount=Decimal(10), uom="KGM", location="plant"),
            edge("output", "p", B, items=3),
            edge("output", "p", A),
        ),
        deliveries=(
            Delivery(lot=B, biz_step="shipping", receiver="shop", document="desadv:1", event="e", at=T0, items=2),
        ),
        places=(TracePlace(lot=B, location="cold store", items=0, amount=Decimal(7), uom="KGM"),),
        milliseconds=1.0,
    )
    out = Console(record=True, width=200, file=io.StringIO())
    show_trace(answer, out)
    text = out.export_text()
    assert "creating_class_instance at plant  10 KGM 2026-11-23 10:00:00Z event 0123456789ab" in text
    assert text.count("B, Cheese") == 1
    assert "A, supplier's S[1] 2026-11-23 10:00:00Z event 0123456789ab (above)" in text
    assert "desadv:1" in text
    assert "Lots and units that were made from it: 1. There is more beyond --depth." in text
