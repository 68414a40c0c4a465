"""An analyst's own queries and the views for them, on the real engine."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lotstream.recall.sql import QueryRefused, run_sql
from lotstream.recall.store import History
from lotstream.schemas.alerts import Alert, AlertCause, AlertEnd, AlertState
from lotstream.schemas.base import Evidence
from lotstream.schemas.documents import QuantityFact, Transformation
from lotstream.schemas.identity import Binding, BindingRows

T0 = 1_763_370_000_000_000
A, B = "01/90614141000411/10/A", "01/90614141000411/10/B"
PALLET = "00/106141411234567897"
VIEWS = ("lot_locations", "shipments", "containment", "trace_edges", "blind_window_states", "open_alerts", "recalls")


def at(minute: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=T0, minutes=minute)


def rows(warehouse: Any, text: str, **more: Any) -> list[tuple[Any, ...]]:
    with History(warehouse.settings) as history:
        return list(run_sql(history, text, **more).rows)


def fact(**given: Any) -> QuantityFact:
    known: dict[str, Any] = {
        "lot": A, "identity": "1", "revision": 1, "amount": Decimal("2.5"), "uom": "KGM", "biz_step": "shipping",
        "evidence": Evidence.DECLARED, "source": "plant", "location": "store", "disposition": "in_transit",
        "document": "desadv:1", "line": "1", "event": "e", "at_us": T0, "recorded_us": T0,
    }  # fmt: skip
    return QuantityFact(**(known | given))


@pytest.mark.parametrize("view", VIEWS)
def test_every_column_is_explained(warehouse: Any, view: str) -> None:
    """Each column of a view for analysts says what it means."""
    found = rows(
        warehouse, f"SELECT name, comment FROM system.columns WHERE table = '{view}' AND database = currentDatabase()"
    )
    assert found and all(comment for _, comment in found)


def test_open_alerts(warehouse: Any) -> None:
    """An alert stands in the view by the highest version of each lot, in any order, until that is moved or cleared."""

    def told(number: int, version: int, state: str, end: str | None = None, **fields: Any) -> bytes:
        return Alert(
            key=f"{number:032x}", version=version, state=AlertState(state), end=AlertEnd(end) if end else None,
            cause=AlertCause.HELD, hold="H1", reason="glass", tag="00/1", read_point="dock", slot=1,
            location="hall", evidence=Evidence.INFERRED, first_us=T0, last_us=T0, recorded_us=T0,
            **({"lot": A, "units": 2, "inside": ("x/1", "x/3")} | fields),
        ).encode()  # fmt: skip

    warehouse.put("alerts", [told(1, 2, "confirmed"), told(1, 1, "raised"), told(2, 1, "raised")])
    warehouse.put("alerts", [told(2, 2, "cleared", "released"), told(3, 1, "raised"), told(3, 2, "moved")])
    found = rows(warehouse, "SELECT alert, state, lots, inside FROM open_alerts")
    assert found == [(f"{1:032x}", "confirmed", [A], ["x/1", "x/3"])]
    others = {"lot": B, "units": 1, "inside": ("x/2",)}, {"lot": f"{B}C", "units": 1, "inside": ("x/4",)}
    warehouse.put("alerts", [told(1, 1, "raised", **others[0]), told(1, 1, "moved", **others[1])])
    found = rows(warehouse, "SELECT alert, state, lots, units, inside FROM open_alerts")
    assert found == [(f"{1:032x}", "confirmed", sorted([A, B]), 3, ["x/1", "x/2", "x/3"])]


def test_views_of_lots(warehouse: Any, make: Any) -> None:
    """Where lots are, and what was shipped and received of them: units and amounts in rows of their own."""
    warehouse.put("documents", [fact().encode()])
    warehouse.lot_sightings(
        [make.lot_sighting(lot=A, tag=f"01/90614141000411/21/{n}", location="dock") for n in range(3)]
    )
    key = f"lot_key = sipHash64('{A}')"
    found = rows(
        warehouse, f"SELECT location, disposition, items, amount, uom FROM lot_locations WHERE {key} ORDER BY location"
    )
    assert found == [
        ("dock", "", 3, 0, ""),
        ("plant", "", 0, Decimal("-2.5"), "KGM"),
        ("store", "in_transit", 0, Decimal("2.5"), "KGM"),
    ]
    shipped = rows(warehouse, f"SELECT biz_step, document, party, event, amount FROM shipments WHERE {key}")
    assert shipped == [("shipping", "desadv:1", "store", "e", Decimal("2.5"))]


def test_containment(warehouse: Any) -> None:
    """From packing to the next unpacking of it or of everything; what is packed twice meanwhile was inside once."""
    deeds = [(0, "u1", 1), (0, "u1", 2), (0, "u2", 2), (1, "u1", 3), (0, "u1", 4), (1, "", 5), (0, "u1", 5)]
    facts = [Binding(2, PALLET, -1, -1, child, deed, T0 + m * 60_000_000, f"e{m}", 0, T0) for deed, child, m in deeds]
    warehouse.put("identity", [BindingRows([one]).encode() for one in facts])
    found = rows(warehouse, "SELECT child, packed_at, unpacked_at, event FROM containment ORDER BY child, packed_at")
    assert found == [
        ("u1", at(1), at(3), "e1"), ("u1", at(4), at(5), "e4"), ("u1", at(5), None, "e5"), ("u2", at(2), at(5), "e2"),
    ]  # fmt: skip


def test_trace_edges(warehouse: Any) -> None:
    """A row for each input and output of a process, with both events."""
    known: dict[str, Any] = {"process": "run", "at_us": T0, "recorded_us": T0, "uom": "KGM", "amount": Decimal(1)}
    sides = [
        Transformation(side="input", lot=A, event="i", **known),
        Transformation(side="output", lot=B, event="o", **known),
    ]
    warehouse.put("documents", [side.encode() for side in sides])
    found = rows(
        warehouse,
        "SELECT output, input_event, output_event FROM trace_edges WHERE input = {a:String}",
        parameters={"a": A},
    )
    assert found == [(B, "i", "o")]


def test_parameters_are_data(warehouse: Any) -> None:
    """What a parameter says is bound by the server; one that the query does not have is refused."""
    odd = "'; DROP TABLE lots; -- %s"
    assert rows(warehouse, "SELECT {text:String} AS said, 100 % 7", parameters={"text": odd}) == [(odd, 2)]
    with pytest.raises(QueryRefused, match=r"Expected a query with \{b:Type\}"):
        rows(warehouse, "SELECT 1", parameters={"b": "1"})


def test_limits(warehouse: Any) -> None:
    """More rows than the limit are cut and said; nothing can be written; what is not SQL is refused."""
    with History(warehouse.settings) as history:
        answer = run_sql(history, "SELECT number FROM numbers(100000)", parameters={}, limit=10)
        assert (len(answer.rows), answer.truncated) == (10, True)
        assert json.loads(answer.model_dump_json())["columns"] == ["number"]
        for text in ("TRUNCATE TABLE lots", "SELEC 1", "SELECT * FROM nothing_of_that_name", "SELECT 1; SELECT 2"):
            with pytest.raises(QueryRefused, match="Expected a query that the server answers, got"):
                run_sql(history, text, parameters={})
