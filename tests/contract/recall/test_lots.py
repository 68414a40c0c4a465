"""Which lot is meant, and what is known of it."""

import random
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from lotstream.recall import ask
from lotstream.recall.find import LocationMissing, LotAmbiguous, LotMissing, UnitMissing, find_lot, find_lots
from lotstream.recall.problems import problem
from lotstream.recall.store import ClickhouseAway, History
from lotstream.schemas.base import Evidence, Origin, Stamp
from lotstream.schemas.documents import QuantityFact
from lotstream.schemas.events import LocationMaster, SiteMapping
from lotstream.schemas.identifiers import IdentifierInvalid, key_to_epc_uri, lot_key
from lotstream.schemas.identity import Binding, BindingRows
from lotstream.schemas.lots import LotRecord
from lotstream.schemas.operations import BlindWindow
from lotstream.streams.locate.lot import merged_record, newest_record

NOW = 1_763_370_000_000_000
GTIN, OTHER = "10614141073464", "90614141000411"
LOT = f"01/{GTIN}/10/B1"


def record(lot: str = LOT, **given: Any) -> LotRecord:
    """A statement about a lot."""
    values: dict[str, Any] = {
        "lot": lot,
        "gtin": lot[3:17],
        "code": lot[21:],
        "event": "e1",
        "at_us": NOW,
        "recorded_us": NOW,
    }
    return LotRecord(**(values | given))


def put(warehouse: Any, *records: LotRecord) -> None:
    warehouse.put("lots", [one.encode() for one in records])


def bind(warehouse: Any, *rows: Binding) -> None:
    warehouse.put("identity", [BindingRows(rows).encode()])


def bound(lot: str, first: int, last: int, **given: Any) -> Binding:
    """A range of serials is bound to a lot."""
    values = {"relation": 0, "subject": f"01/{GTIN}", "first": first, "last": last, "object": lot, "action": 0}
    return Binding(**(values | {"at_us": NOW, "event": "e1", "retracted": 0, "recorded_us": NOW} | given))


def locations(warehouse: Any, version: int, *names: str, received: int = NOW) -> None:
    stamp = Stamp(received_us=received, origin=Origin.LIVE, source="s", request="r")
    found = tuple(LocationMaster(id=name.lower(), name=name, gln="0614141000012") for name in names)
    mapping = SiteMapping(version=version, locations=found, read_points=(), stamp=stamp)
    warehouse.put("events", [mapping.encode()])


@pytest.mark.parametrize("seed", range(3))
def test_master_data_as_locate_merges_them(warehouse: Any, seed: int) -> None:
    """Newest word of each kind, counts summed, the gravest status, retracted statements gone: as in lots-latest.v1."""
    draw = random.Random(seed)
    records = [
        record(
            event=f"e{draw.randrange(6)}",
            at_us=NOW + draw.randrange(3),
            recorded_us=NOW + number,
            description=draw.choice(["", "soup", "stew"]),
            location=draw.choice(["", "plant"]),
            produced_us=draw.choice([None, NOW - draw.randrange(9)]),
            expires=draw.choice([None, date(2126, 3, 1), date(9999, 12, 31)]),
            units=draw.choice([None, draw.randrange(50)]),
            **draw.choice([{}, {"amount": Decimal(draw.randrange(50)), "uom": draw.choice(["KGM", "H87"])}]),
            supplier_code=draw.choice(["", f"S{draw.randrange(3)}"]),
            status=draw.choice(["active", "active", "held", "recalled"]),
            retracted=draw.random() < 0.1,
        )
        for number in range(30)
    ]
    kept: dict[str, LotRecord] = {}
    for one in records:
        kept[one.event] = newest_record(kept[one.event], one) if one.event in kept else one
    merged = merged_record(kept.values())
    assert merged is not None
    draw.shuffle(records)
    put(warehouse, *records, *records[:9])
    warehouse.merge()
    lot = ask.affected(warehouse.history, LOT).lot
    assert ask.lots(warehouse.history).lots == (lot,)
    produced = None if lot.produced_at is None else round(lot.produced_at.timestamp() * 1e6)
    assert (lot.description, lot.location, produced, lot.expires) == (
        merged.description,
        merged.location,
        merged.produced_us,
        merged.expires,
    )
    assert (lot.supplier_code, lot.units, lot.status) == (merged.supplier_code, merged.units, merged.status)
    assert (lot.amount, lot.uom) == (merged.amount, merged.uom)


@pytest.mark.parametrize(
    "text",
    [
        "B1",
        " B1 ",
        "SUP-9",
        LOT,
        "urn:epc:class:lgtin:0614141.107346.B1",
        f"https://id.gs1.org/01/{GTIN}/10/B1",
        f"http://example.com/some/01/{GTIN}/10/B1?17=260301",
        f"]C101{GTIN}10B1",
        f"]d201{GTIN}10B1\x1d21123",
        f"(01){GTIN}(10)B1",
        f"01/{GTIN}/21/7",
        "urn:epc:id:sgtin:0614141.107346.7",
    ],
)
def test_ways_to_name_a_lot(warehouse: Any, text: str) -> None:
    """Code, supplier's code, key, LGTIN, Digital Link, scanned label, and a unit of it: all the same lot."""
    put(warehouse, record(supplier_code="SUP-9"), record(f"01/{OTHER}/10/B2", supplier_code="SUP-8"))
    bind(warehouse, bound(LOT, 1, 9))
    assert ask.affected(warehouse.history, text).lot.lot == LOT


@pytest.mark.parametrize("gtin", [GTIN, "90614141000411", "614141000012", "0614141000012"])
def test_gtin_in_any_length(warehouse: Any, gtin: str) -> None:
    """--gtin takes GTIN-12, GTIN-13 and GTIN-14, with the code or the supplier's."""
    lot = f"01/{gtin.zfill(14)}/10/X"
    put(warehouse, record(lot, supplier_code="S"), record("01/00614141000029/10/X", supplier_code="S"))
    for text in ("X", "S"):
        assert ask.affected(warehouse.history, text, gtin=gtin).lot.lot == lot
    assert [found.lot for found in ask.lots(warehouse.history, gtin=gtin).lots] == [lot]
    with pytest.raises(IdentifierInvalid):
        ask.affected(warehouse.history, "X", gtin="0614141000013")


def test_ambiguous_code(warehouse: Any) -> None:
    """A code that two products bear names both; with the GTIN it is one."""
    other = f"01/{OTHER}/10/B1"
    put(warehouse, record(), record(other))
    with pytest.raises(LotAmbiguous) as caught:
        ask.affected(warehouse.history, "B1")
    assert caught.value.candidates == [LOT, other]
    told = problem(caught.value)
    assert told is not None
    assert (told.error, told.candidates) == ("lot_ambiguous", (LOT, other))
    assert ask.affected(warehouse.history, "B1", gtin=OTHER).lot.lot == other


@pytest.mark.parametrize("text", ["b1", "B12", f"01/{OTHER}/10/B1", "B1 ", "1"])
def test_near_matches(warehouse: Any, text: str) -> None:
    """What is not found is said, with what is like it."""
    put(warehouse, record(), record(f"01/{GTIN}/10/QQQQQQ"))
    if text.strip() == "B1":
        assert ask.affected(warehouse.history, text).lot.lot == LOT
        return
    with pytest.raises(LotMissing, match="Near: ") as caught:
        ask.affected(warehouse.history, text)
    assert caught.value.near == [LOT]
    told = problem(caught.value)
    assert told is not None
    assert (told.error, told.near) == ("lot_missing", (LOT,))
    assert "\n" not in told.detail


@pytest.mark.parametrize("code", ["A'b", 'x"y', "50%", "a-b/c_d", "(1)+*?;<=>", "%2F"])
def test_every_character_of_a_lot_code(warehouse: Any, code: str) -> None:
    """Each character that GS1 allows in a lot code finds it, and nothing else."""
    key = lot_key(GTIN, code)
    put(warehouse, record(key, code=code), record())
    assert find_lot(warehouse.history, code).lot == key
    assert find_lot(warehouse.history, key).lot == key
    assert find_lots(warehouse.history, [key, code]) == {key: key, code: key}


def test_a_lot_of_units_alone(warehouse: Any, make: Any) -> None:
    """A lot without master data is found by its code and answered from its sightings."""
    warehouse.lot_sightings([make.lot_sighting(lot=LOT)])
    answer = ask.affected(warehouse.history, "B1")
    assert (answer.lot.gtin, answer.lot.code, answer.lot.units) == (GTIN, "B1", None)
    assert [(place.location, place.items) for place in answer.places] == [("plant", 1)]
    (sums,) = answer.accounted
    assert (sums.made, sums.on_hand, sums.unexplained, sums.percent) == (0, 1, -1, None)


def test_a_lot_of_quantities_alone(warehouse: Any) -> None:
    """A lot that only scans without dates named is found, listed, and in stock."""
    scan = QuantityFact(
        lot=LOT, identity="1", revision=1, location="plant", amount=Decimal("2.5"), uom="KGM", cases=1,
        biz_step="commissioning", evidence=Evidence.CONFIRMED, at_us=NOW, recorded_us=NOW,
    )  # fmt: skip
    warehouse.put("documents", [scan.encode()])
    assert [q.amount for q in ask.affected(warehouse.history, "B1").quantities] == [Decimal("2.5")]
    assert [lot.lot for lot in ask.lots(warehouse.history).lots] == [LOT]
    assert [(row.lot, row.amount, row.cases) for row in ask.stock(warehouse.history).rows] == [(LOT, Decimal("2.5"), 1)]


def test_stock_filters(warehouse: Any, make: Any) -> None:
    """By product, by location (id, name or GLN) and by the date that comes first, expiry or best before."""
    late, soon = f"01/{GTIN}/10/LATE", f"01/{OTHER}/10/SOON"
    put(warehouse, record(late, expires=date(2027, 1, 1)), record(soon, best_before=date(2026, 1, 1)))
    locations(warehouse, 1, "Plant", "Store")
    warehouse.lot_sightings([make.lot_sighting(lot=late), make.lot_sighting(lot=late, tag="01/x", location="store")])
    warehouse.lot_sightings([make.lot_sighting(lot=soon, tag="01/y")])

    def found(**filters: Any) -> list[tuple[str, str, int]]:
        return [(row.code, row.location, row.items) for row in ask.stock(warehouse.history, **filters).rows]

    assert found() == [("SOON", "plant", 1), ("LATE", "plant", 1), ("LATE", "store", 1)]
    assert found(gtin=OTHER) == [("SOON", "plant", 1)]
    assert found(expires_before=date(2026, 6, 1)) == [("SOON", "plant", 1)]
    assert found(location="STORE") == [("LATE", "store", 1)]
    assert len(found(location="0614141000012")) == 3
    with pytest.raises(LocationMissing, match="Near: Store") as caught:
        found(location="Stor")
    told = problem(caught.value)
    assert told is not None
    assert (told.error, told.near) == ("location_missing", ("Store",))


def test_history_by_any_name(warehouse: Any, make: Any) -> None:
    """One unit, however it is written: hexadecimal, URI, Digital Link, label, key."""
    tag = f"01/{GTIN}/21/400"
    warehouse.sightings([make.sighting(tag=tag)])
    bind(warehouse, bound(LOT, 400, 499), bound(f"01/{GTIN}/10/OTHER", 1, 399))
    names = [
        tag,
        key_to_epc_uri(tag, company_prefix_length=7),
        f"https://id.gs1.org/{tag}",
        f"]d201{GTIN}21400",
        f"(01){GTIN}(21)400",
        f"{0x30 << 88 | 1 << 85 | 5 << 82 | 614141 << 58 | 107346 << 38 | 400:024X}",
    ]
    for name in names:
        answer = ask.history_of(warehouse.history, name)
        assert (answer.tag, answer.lots, len(answer.sightings)) == (tag, (LOT,), 1)
    assert answer.sightings[0].first_at == datetime.fromtimestamp(NOW / 1e6, UTC)
    assert answer.sightings[0].first_at.tzinfo is not None


def test_history_says_no(warehouse: Any) -> None:
    """A unit that nobody knows, a lot, and what is no name at all are told apart."""
    with pytest.raises(UnitMissing, match=f"01/{GTIN}/21/1"):
        ask.history_of(warehouse.history, f"01/{GTIN}/21/1")
    with pytest.raises(UnitMissing, match="affected"):
        ask.history_of(warehouse.history, LOT)
    with pytest.raises(IdentifierInvalid):
        ask.history_of(warehouse.history, "nonsense")


def test_a_retracted_binding_names_no_lot(warehouse: Any, make: Any) -> None:
    """A binding taken back names no lot, whichever came first."""
    warehouse.sightings([make.sighting(tag=f"01/{GTIN}/21/5")])
    bind(warehouse, bound(LOT, 1, 9, retracted=1))
    bind(warehouse, bound(LOT, 1, 9))
    assert ask.history_of(warehouse.history, f"01/{GTIN}/21/5").lots == ()


def test_history_keeps_the_newest(warehouse: Any, make: Any) -> None:
    """A limit leaves out the oldest, and says so."""
    warehouse.sightings([make.sighting(slot=slot, first_us=NOW + slot, last_us=NOW + slot) for slot in range(5)])
    answer = ask.history_of(warehouse.history, make.sighting().tag, limit=2)
    assert [round(row.first_at.timestamp() * 1e6) - NOW for row in answer.sightings] == [3, 4]
    assert answer.truncated


def test_locations_of_the_newest_mapping(warehouse: Any) -> None:
    """The mapping received last counts, whatever its number, and a place that it lost is gone."""
    locations(warehouse, 900, "Old", "Plant")
    locations(warehouse, 17, "Plant", "New", received=NOW + 1)
    locations(warehouse, 17, "Plant", "New", received=NOW + 1)
    assert [place.name for place in ask.locations(warehouse.history).locations] == ["New", "Plant"]


def test_blind_windows(warehouse: Any, make: Any) -> None:
    """Those that touch the span from the first fact to now, each as last told."""
    put(warehouse, record())
    warehouse.lot_sightings([make.lot_sighting(lot=LOT, first_us=NOW, last_us=NOW + 10)])

    def window(subject: str, start: int, end: int | None, recorded: int = 0) -> bytes:
        return BlindWindow(
            subject=subject, cause="down", from_us=NOW + start, until_us=None if end is None else NOW + end,
            recorded_us=NOW + recorded,
        ).encode()  # fmt: skip

    warehouse.put(
        "blind-windows",
        [
            window("before", -9, -1),
            window("touches", -9, 0),
            window("inside", 3, 4),
            window("after", 50, None),
            window("closed", -9, None),
            window("closed", -9, -2, recorded=5),
            window("future", 500, 600),
        ],
    )
    now = datetime.fromtimestamp((NOW + 100) / 1e6, UTC)
    answer = ask.affected(warehouse.history, LOT, now=now)
    assert [(found.subject, found.until_at is None) for found in answer.blind_windows] == [
        ("touches", False),
        ("inside", False),
        ("after", True),
    ]


def test_an_empty_history(warehouse: Any) -> None:
    """Lists are empty, questions for one thing say that it is missing."""
    assert ask.lots(warehouse.history).lots == ()
    assert ask.stock(warehouse.history).rows == ()
    assert ask.locations(warehouse.history).locations == ()
    with pytest.raises(LotMissing):
        ask.affected(warehouse.history, "B1")


def test_clickhouse_away(warehouse: Any) -> None:
    """No server, no tables and no rights are each one line that says what to do."""
    settings = warehouse.settings
    changes = (
        ({"url": "http://127.0.0.1:9"}, "lotstream status"),
        ({"database": "not_migrated"}, "lotstream migrate"),
        ({"reader_user": "nobody"}, "reader_user"),
    )
    for change, hint in changes:
        with History(settings.model_copy(update=change)) as history:
            with pytest.raises(ClickhouseAway, match=hint) as caught:
                ask.affected(history, "B1")
            told = problem(caught.value)
            assert told is not None
            assert (told.error, "\n" in told.detail) == ("clickhouse_away", False)
