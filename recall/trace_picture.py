"""A trace as a picture: Graphviz DOT, and SVG that needs no other program. Goods flow from left to right. Pure."""

from collections import defaultdict
from html import escape
from typing import NamedTuple

from lotstream.recall.trace_answer import Direction, Trace, TraceEdge, TraceNode
from lotstream.recall.trace_facts import is_lot
from lotstream.schemas.identifiers import split_lot_key

WIDTH, HEIGHT, ACROSS, DOWN, MARGIN = 190, 40, 280, 60, 20  # pixels: of a box, from box to box, around all


class Box(NamedTuple):
    """A node of the picture."""

    name: str
    lines: tuple[str, str]
    process: bool
    rank: int  # columns from the left


def boxes(answer: Trace) -> list[Box]:
    """Lots, units and processes, each in its column, in the order of the answer."""
    steps = {node.name: node.steps for node in answer.nodes}
    ranks = {node.name: 2 * node.steps for node in answer.nodes}
    told: dict[str, TraceEdge] = {}
    for edge in answer.edges:
        process, node = _ends(edge)
        if process:
            told.setdefault(process, edge)
            ranks[process] = min(ranks.get(process, 1 << 30), 2 * steps[node] + 1)
    last = max(ranks.values())
    column = {name: last - rank if answer.direction is Direction.BACK else rank for name, rank in ranks.items()}
    goods = [Box(node.name, _node_lines(node), False, column[node.name]) for node in answer.nodes]
    return goods + [Box(name, _process_lines(edge), True, column[name]) for name, edge in told.items()]


def dot(answer: Trace) -> str:
    """Graphviz DOT."""
    lines = ["digraph trace {", "  rankdir=LR; node [fontname=Helvetica]; edge [fontname=Helvetica, fontsize=10];"]
    for box in boxes(answer):
        shape = "ellipse" if box.process else "box"
        label = _quoted("\n".join(filter(None, box.lines)))
        lines.append(f"  {_quoted(box.name)} [shape={shape}, label={label}];")
    lines += [f"  {_quoted(e.source)} -> {_quoted(e.target)} [label={_quoted(how_much(e))}];" for e in answer.edges]
    return "\n".join([*lines, "}", ""])


def svg(answer: Trace) -> str:
    """SVG 1.1; what a box is called in full stands in its title."""
    columns: dict[int, list[Box]] = defaultdict(list)
    for box in boxes(answer):
        columns[box.rank].append(box)
    at = {
        box.name: (MARGIN + rank * ACROSS, MARGIN + row * DOWN)
        for rank, column in columns.items()
        for row, box in enumerate(column)
    }
    width = MARGIN * 2 + WIDTH + max(columns) * ACROSS
    height = MARGIN * 2 + HEIGHT + (max(map(len, columns.values())) - 1) * DOWN
    drawn = [_line(edge, at[edge.source], at[edge.target]) for edge in answer.edges]
    drawn += [_box(box, *at[box.name]) for column in columns.values() for box in column]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif"'
            ' font-size="11">',
            *drawn,
            "</svg>",
            "",
        ]
    )


def how_much(edge: TraceEdge) -> str:
    """'12.5 KGM', '30 items', or nothing."""
    said = [f"{edge.amount.normalize():f} {edge.uom}"] if edge.amount is not None else []
    return ", ".join([*said, *([f"{edge.items} items"] if edge.items else [])])


def short_name(node: str) -> str:
    """The code of a lot; a unit's key as it is."""
    return split_lot_key(node)[1] if is_lot(node) else node


def _ends(edge: TraceEdge) -> tuple[str, str]:
    """The process of an edge, '' where there is none, and its lot or unit."""
    if edge.kind == "content":
        return "", edge.source
    return (edge.source, edge.target) if edge.kind == "output" else (edge.target, edge.source)


def _node_lines(node: TraceNode) -> tuple[str, str]:
    return short_name(node.name), node.description or (split_lot_key(node.name)[0] if is_lot(node.name) else "")


def _process_lines(edge: TraceEdge) -> tuple[str, str]:
    return edge.biz_step or "process", f"{edge.at:%Y-%m-%d %H:%M}Z {edge.location}".strip()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _box(box: Box, x: int, y: int) -> str:
    first, second = (escape(_cut(line)) for line in box.lines)
    fill, radius = ("#eef", HEIGHT // 2) if box.process else ("#fff", 3)
    middle = x + WIDTH // 2
    return (
        f'<g><title>{escape(box.name)}</title><rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="{radius}"'
        f' fill="{fill}" stroke="#333"/><text x="{middle}" y="{y + 17}" text-anchor="middle">{first}</text>'
        f'<text x="{middle}" y="{y + 31}" text-anchor="middle" fill="#666">{second}</text></g>'
    )


def _line(edge: TraceEdge, source: tuple[int, int], target: tuple[int, int]) -> str:
    x1, y1, x2, y2 = source[0] + WIDTH, source[1] + HEIGHT // 2, target[0], target[1] + HEIGHT // 2
    bend = ACROSS // 3  # what goes back to an earlier column, as rework does, leaves and arrives as the rest
    return (
        f'<g><title>{escape(edge.event)}</title><path d="M{x1} {y1} C{x1 + bend} {y1} {x2 - bend} {y2} {x2} {y2}"'
        f' fill="none" stroke="#888"/><text x="{(x1 + x2) // 2}" y="{(y1 + y2) // 2 - 4}" text-anchor="middle"'
        f' fill="#444" font-size="9">{escape(how_much(edge))}</text></g>'
    )


def _cut(text: str, most: int = 32) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
