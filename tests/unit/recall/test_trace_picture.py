"""A trace as DOT and SVG."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from lotstream.recall.trace_answer import Direction, Trace, TraceEdge, TraceNode
from lotstream.recall.trace_picture import boxes, dot, svg

T0 = datetime(2026, 11, 23, 10, tzinfo=UTC)
A, B = "01/90614141000411/10/A%22%3C", "01/90614141000411/10/B"


def edge(kind: Any, source: str, target: str, **given: Any) -> TraceEdge:
    return TraceEdge(
        kind=kind, source=source, target=target, event="e1", biz_step="commissioning", at=T0, **{"items": 0, **given}
    )


def answer(direction: Direction) -> Trace:
    """A became B, with rework of B."""
    names = (A, B) if direction is Direction.FORWARD else (B, A)
    return Trace(
        direction=direction,
        starts=(names[0],),
        capped="",
        nodes=tuple(TraceNode(name=name, steps=step) for step, name in enumerate(names)),
        edges=(
            edge("input", A, "p", amount=Decimal("2.50"), uom="KGM"),
            edge("input", B, "p"),
            edge("output", "p", B, items=3),
        ),
        deliveries=(),
        milliseconds=1.0,
    )


def test_goods_flow_to_the_right() -> None:
    """Columns follow the goods, whichever way was asked."""
    for direction in Direction:
        assert {box.name: box.rank for box in boxes(answer(direction))} == {A: 0, "p": 1, B: 2}


def test_dot_quotes_names() -> None:
    """Every node and edge is there; a quote in a lot code stays inside its name."""
    text = dot(answer(Direction.FORWARD))
    assert r'label="A\"<\n90614141000411"' in text
    assert f'"{A}" -> "p" [label="2.5 KGM"];' in text
    assert f'"p" -> "{B}" [label="3 items"];' in text


def test_svg_is_xml() -> None:
    """The picture is well-formed whatever a lot is called, and names what each line stands for."""
    root = ElementTree.fromstring(svg(answer(Direction.BACK)))
    titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert titles.count("e1") == 3
    assert {A, B, "p"} <= set(titles)


def test_a_start_alone() -> None:
    """A trace that reached nothing is one box."""
    alone = answer(Direction.FORWARD).model_copy(update={"edges": (), "nodes": (TraceNode(name=A, steps=0),)})
    assert len(boxes(alone)) == 1
    assert ElementTree.fromstring(svg(alone)).tag.endswith("svg")
