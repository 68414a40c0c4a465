"""A trace as people read it: a tree; what stands in it already is named, not told again."""

from collections import defaultdict
from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from lotstream.cli.tables import amount, instant, table, when_line
from lotstream.recall.trace_answer import Delivery, Direction, Trace, TraceEdge, TraceNode, TracePlace
from lotstream.recall.trace_picture import how_much, short_name

_CAPPED = {
    "depth": "There is more beyond --depth.",
    "size": "There is more: the trace was cut after too many lots.",
}


class _Teller:
    """What hangs below what, and what was told."""

    def __init__(self, answer: Trace) -> None:
        self.back = answer.direction is Direction.BACK
        self.nodes = {node.name: node for node in answer.nodes}
        self.after: dict[str, list[TraceEdge]] = defaultdict(list)
        self.shown: set[str] = set()
        for edge in answer.edges:
            self.after[self.near(edge)].append(edge)

    def near(self, edge: TraceEdge) -> str:
        return edge.target if self.back else edge.source

    def far(self, edge: TraceEdge) -> str:
        return edge.source if self.back else edge.target

    def tell(self, node: str, tree: Tree) -> None:
        """Everything below a lot, a unit or a process."""
        self.shown.add(node)
        for edge in self.after[node]:
            far = self.far(edge)
            again = far in self.shown
            branch = tree.add(self.line(edge, far) + (" [dim](above)[/dim]" if again else ""))
            if not again:
                self.tell(far, branch)

    def line(self, edge: TraceEdge, far: str) -> str:
        much = f"  {escape(how_much(edge))}" if how_much(edge) else ""
        said = f" [dim]{instant(edge.at)} event {escape(_short(edge.event))}[/dim]"
        if far in self.nodes:
            return _goods(self.nodes[far]) + much + said
        at = f" at {escape(edge.location)}" if edge.location else ""
        return f"{escape(edge.biz_step or 'process')}{at}{much}{said}"


def show_trace(answer: Trace, out: Console) -> None:
    """Print a trace."""
    when_line(out, answer)
    teller = _Teller(answer)
    for start in answer.starts:
        tree = Tree(_goods(teller.nodes[start]))
        teller.tell(start, tree)
        out.print(tree)
    _deliveries(answer.deliveries, out)
    _places(answer.places, out)
    lots = len(answer.nodes) - len(answer.starts)
    which = "that went into it" if teller.back else "that were made from it"
    more = f" {_CAPPED[answer.capped]}" if answer.capped else ""
    out.print(f"Lots and units {which}: {lots:,}.{more} Answered in {answer.milliseconds:.1f} ms.")


def _deliveries(deliveries: Iterable[Delivery], out: Console) -> None:
    columns = ("lot", "step", "from", "to", "document", "line", "items", "amount", "at", "event")
    rows = table("Shipped and received", *columns, right=("items", "amount"))
    for one in deliveries:
        much = "" if one.amount is None else amount(one.amount, one.uom)
        rows.add_row(
            short_name(one.lot), one.biz_step, one.sender, one.receiver, one.document, one.line,
            f"{one.items:,}" if one.items else "", much, instant(one.at), _short(one.event),
        )  # fmt: skip
    if rows.row_count:
        out.print(rows)


def _places(places: Iterable[TracePlace], out: Console) -> None:
    rows = table("Where it is now", "lot", "location", "disposition", "items", "amount", right=("items", "amount"))
    for at in places:
        much = "" if at.amount is None else amount(at.amount, at.uom)
        items = f"{at.items:,}" if at.items else ""
        rows.add_row(short_name(at.lot), at.location, at.disposition, items, much)
    if rows.row_count:
        out.print(rows)


def _goods(node: TraceNode) -> str:
    words = [f"[bold]{escape(short_name(node.name))}[/bold]"]
    words += [escape(node.description)] if node.description else []
    words += [f"supplier's {escape(node.supplier_code)}"] if node.supplier_code else []
    return ", ".join(words)


def _short(event: str) -> str:
    """As much of an event hash as people compare."""
    return event.removeprefix("ni:///sha-256;")[:12]
