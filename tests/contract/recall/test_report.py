"""The report of a recall on the real engine."""

import csv
import json
import re
import shlex
import zipfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from lotstream.cli.main import lotstream
from lotstream.recall.ask import affected
from lotstream.recall.report.ask import lots_named, report_of
from lotstream.recall.report.explain import Explainer
from lotstream.recall.report.facts import FigureMissing
from lotstream.recall.report.model import PARTS, Explanation, Report, Term
from lotstream.recall.scope import ScopedLot, Tags
from lotstream.recall.store import History
from lotstream.schemas.base import Evidence, Origin, Stamp
from lotstream.schemas.documents import DocumentLine, Effect, QuantityFact, Transformation
from lotstream.schemas.events import Action, EventType, TraceEvent
from lotstream.schemas.lots import LotRecord
from lotstream.schemas.operations import BlindWindow
from lotstream.schemas.sightings import Declaration

GTIN = "10614141073464"
ITEMS, BULK, CAKE = (f"01/{GTIN}/10/{code}" for code in ("B251101", "FLOUR-7", "CAKE"))
PALLET = "00/106141410000000011"
NOW = 1_763_370_000_000_000
HOUR = 3_600_000_000
KNOWN = datetime(2026, 3, 1, 10, tzinfo=UTC)


def fact(identity: str, amount: str, hour: int, **given: Any) -> bytes:
    known: dict[str, Any] = {
        "lot": BULK, "identity": identity, "revision": 1, "amount": Decimal(amount), "uom": "KGM", "biz_step": "",
        "evidence": Evidence.DECLARED, "at_us": NOW + hour * HOUR, "recorded_us": NOW, "event": f"q-{identity}",
    }  # fmt: skip
    return QuantityFact(**(known | given)).encode()


@pytest.fixture
def told(warehouse: Any, make: Any) -> Any:
    """Four units, two of them on a pallet that was sent, one unseen; a hundred kilograms, of which a cake was made."""
    record: dict[str, Any] = {"gtin": GTIN, "at_us": NOW, "recorded_us": NOW, "produced_us": NOW, "line": "L1"}
    warehouse.put("lots", [
        LotRecord(lot=ITEMS, code="B251101", event="made-i", units=4, **record).encode(),
        LotRecord(lot=BULK, code="FLOUR-7", event="made-w", amount=Decimal(100), uom="KGM", **record).encode(),
        LotRecord(lot=CAKE, code="CAKE", event="made-c", **(record | {"line": "L2"})).encode(),
    ])  # fmt: skip
    sent = Declaration("ship-1", "shipping", "in_transit", "desadv:7", "1", "417/1")
    at = NOW + 2 * HOUR
    inside = {"location": "store", "how": 2, "origin": PALLET, "path": (PALLET,)}
    later = {"slot": at // 30_000_000, "first_us": at, "last_us": at}
    tags = [f"01/{GTIN}/21/{serial}" for serial in (1, 2, 3)]
    warehouse.lot_sightings([make.lot_sighting(lot=ITEMS, tag=tag, location="plant") for tag in tags])
    warehouse.lot_sightings([
        make.lot_sighting(lot=ITEMS, tag=tag, lane="event:ship-1", declaration=sent, **inside, **later)
        for tag in tags[:2]
    ])  # fmt: skip
    order = DocumentLine(document="prodorder:4711", line="1", event="t1", biz_step="", at_us=NOW, recorded_us=NOW)
    baked = {
        "process": "bake", "document": "prodorder:4711", "event": "t1", "at_us": NOW + HOUR, "recorded_us": NOW,
        "uom": "KGM", "location": "plant",
    }  # fmt: skip
    warehouse.put("documents", [
        order.encode(),
        fact("made", "100", 0, location="plant", effect=Effect.MADE),
        fact("ship", "30", 1, source="plant", location="store", disposition="in_transit", biz_step="shipping",
             document="desadv:7", line="2", party="417/1", cases=3),
        fact("used", "20", 1, source="plant", effect=Effect.CONSUMED),
        fact("burnt", "5", 1, source="plant", effect=Effect.DESTROYED),
        Transformation(side="input", lot=BULK, amount=Decimal(20), **baked).encode(),
        Transformation(side="output", lot=CAKE, amount=Decimal(18), **baked).encode(),
    ])  # fmt: skip
    window = BlindWindow(subject="dock", cause="down", from_us=NOW, until_us=NOW + HOUR, recorded_us=NOW)
    other = BlindWindow(subject="far", cause="down", from_us=NOW, until_us=NOW + HOUR, recorded_us=NOW)
    warehouse.put("blind-windows", [window.model_dump_json().encode(), other.model_dump_json().encode()])
    neighbour = make.lot_sighting(lot=f"01/{GTIN}/10/OTHER", tag=f"01/{GTIN}/21/99", location="plant")
    warehouse.lot_sightings([neighbour])
    warehouse.passed(KNOWN)
    return warehouse


def report(warehouse: Any, *names: str, known_at: datetime | None = KNOWN) -> Report:
    with History(warehouse.settings, known_at=known_at) as history:
        return report_of(history, lots_named(history, names))


def values(told: Report, lot: str, **wanted: Any) -> dict[tuple[str, str], Decimal]:
    """(term, measure): value, of the figures of a lot with these words."""
    (found,) = [one for one in told.lots if one.lot.lot == lot]
    return {
        (one.term, one.measure): one.value
        for one in found.figures
        if all(getattr(one, name) == value for name, value in wanted.items())
    }


def test_what_is_where_who_received_some_and_what_is_missing(told: Any) -> None:
    """Items, pallets and amounts apart, each place by place and in all; percentages say of what."""
    answer = report(told, "B251101", "FLOUR-7")
    assert values(answer, ITEMS, total=True) == {
        ("made", "items"): 4, ("on_hand", "items"): 1, ("shipped", "items"): 2, ("unexplained", "items"): 1,
        ("shipped", "pallets"): 1,
    }  # fmt: skip
    assert values(answer, BULK, total=True) == {
        ("made", "KGM"): 100, ("on_hand", "KGM"): 45, ("shipped", "KGM"): 30, ("consumed", "KGM"): 20,
        ("destroyed", "KGM"): 5, ("unexplained", "KGM"): 0,
    }  # fmt: skip
    assert values(answer, ITEMS, party="417/1", document="desadv:7", line="1") == {
        ("sent", "items"): 2, ("sent", "pallets"): 1,
    }  # fmt: skip
    assert values(answer, BULK, party="417/1", line="2") == {("sent", "KGM"): 30, ("sent", "labels"): 3}
    assert values(answer, BULK, term=Term.USED, others=(CAKE,)) == {("used", "KGM"): 20}
    assert {(one.term, one.measure): one.value for one in answer.totals if one.term == Term.MADE} == {
        ("made", "items"): 4, ("made", "KGM"): 100,
    }  # fmt: skip
    (shipped,) = [one for one in answer.lots[0].figures if one.term == Term.SHIPPED and one.total and one.share]
    assert shipped.share is not None
    assert (shipped.share.percent, shipped.share.of, shipped.share.measure, shipped.share.at) == (50, 4, "items", KNOWN)
    for lot in answer.lots:
        for made in (one for one in lot.figures if one.term == Term.MADE):
            parts = [one for one in lot.figures if one.term in PARTS and one.measure == made.measure and not one.total]
            assert sum(one.value for one in parts) == made.value


def test_what_could_hide_more_and_what_was_beside_it(told: Any) -> None:
    """Blind windows say which lots they touch; lots that were there meanwhile are named; offsets are printed."""
    answer = report(told, "B251101")
    assert [(one.subject, one.touches) for one in answer.blind_windows] == [("dock", (ITEMS,)), ("far", ())]
    assert {(one.other, one.location, one.line) for one in answer.shared} == {
        (f"01/{GTIN}/10/OTHER", "plant", ""), (BULK, "plant", ""), (BULK, "", "L1"),
    }  # fmt: skip
    assert {one.topic: one.next for one in answer.offsets}["lots.v1"] == 3
    assert answer.forward is not None and answer.back is not None


def test_the_same_question_has_the_same_answer(told: Any, make: Any) -> None:
    """At the same known-at the JSON is the same byte for byte, whatever has come since; run times aside."""
    before = report(told, "B251101", "FLOUR-7")
    moved = {"tag": f"01/{GTIN}/21/3", "location": "store", "slot": NOW // 30_000_000 + 999}
    told.lot_sightings([make.lot_sighting(lot=ITEMS, **moved)])
    told.put("documents", [fact("more", "7", 2, source="plant", effect=Effect.CONSUMED)])
    told.passed(KNOWN + timedelta(hours=1))
    again = report(told, "FLOUR-7", "B251101")
    timeless = {"milliseconds": 0.0}
    assert again.model_copy(update=timeless).model_dump_json() == before.model_copy(update=timeless).model_dump_json()
    now = report(told, "B251101", "FLOUR-7", known_at=None)
    assert values(now, ITEMS, location="store", term=Term.ON_HAND) == {("on_hand", "items"): 1}
    assert values(now, BULK, total=True)["consumed", "KGM"] == 27


def test_a_part_of_a_lot(told: Any) -> None:
    """A scope of some serials is told of these alone, and says so; what has no serial is left out."""
    with History(told.settings) as history:
        part = Tags(serials=((1, 1), (3, 4)))
        answer = report_of(history, [ScopedLot(ITEMS, part, ("serials",)), ScopedLot(BULK, part, ("x",))])
    assert values(answer, ITEMS, total=True, measure="items") == {
        ("made", "items"): 3, ("on_hand", "items"): 1, ("shipped", "items"): 1, ("unexplained", "items"): 1,
    }  # fmt: skip
    assert answer.lots[0].scope == "serial 1, serials 3..4"
    assert values(answer, BULK, measure="KGM", total=True) == {}


def test_every_figure_leads_to_its_facts(told: Any) -> None:
    """Topic, partition, offset, event and document line of the records that a figure is made of."""
    with History(told.settings, known_at=KNOWN) as history:
        explainer = Explainer(history, lots_named(history, ["B251101", "FLOUR-7"]))
        figures = [*explainer.report.totals, *(one for lot in explainer.report.lots for one in lot.figures)]
        explained = {one.figure: explainer.explain(one.figure) for one in figures}
        with pytest.raises(FigureMissing):
            explainer.explain("sent-00000000")

    def of(lot: str, term: Term, measure: str, *, total: bool = False) -> Explanation:
        words = lot, term, measure, total
        (found,) = [one for one in figures if (one.lot, one.term, one.measure, one.total) == words]
        return explained[found.figure]

    sent_items = of(ITEMS, Term.SENT, "items").facts
    assert {(one.subject, one.topic, one.offset, one.event, one.line) for one in sent_items} == {
        (f"01/{GTIN}/21/{serial}", "lot-sightings.v1", 1, "ship-1", "1") for serial in (1, 2)
    }  # fmt: skip
    inside = [one.subject for one in of(ITEMS, Term.SHIPPED, "pallets").facts]
    assert inside == [f"01/{GTIN}/21/{serial}" for serial in (1, 2)]
    (sent,) = of(BULK, Term.SENT, "KGM").facts
    assert (sent.topic, sent.event, sent.line, sent.value) == ("documents.v1", "q-ship", "2", 30)
    (used,) = of(BULK, Term.USED, "KGM").facts
    assert (used.event, used.value, used.measure) == ("t1", 20, "KGM")
    made = of(ITEMS, Term.MADE, "items", total=True)
    assert [(one.topic, one.event, one.value) for one in made.facts] == [("lots.v1", "made-i", 4)]
    assert sum(one.value for one in made.parts) == made.figure.value
    together = of("", Term.ON_HAND, "items", total=True)
    assert ([one.lot for one in together.parts], len(together.facts)) == ([ITEMS], 1)
    for one in explained.values():  # what nobody has seen has no fact
        assert one.facts or one.parts or one.figure.term is Term.UNEXPLAINED or not one.figure.value, one


def test_a_unit_is_where_the_strongest_word_of_its_newest_slot_says(told: Any, make: Any) -> None:
    """Inferred from what it is in outranks declared, as in every other answer; its explanation names that sighting."""
    at = NOW + 4 * HOUR
    then = {"lot": ITEMS, "tag": f"01/{GTIN}/21/1", "slot": at // 30_000_000, "first_us": at, "last_us": at}
    inside = {"location": "shelf", "how": 1, "origin": PALLET, "path": (PALLET,)}
    told.lot_sightings([
        make.lot_sighting(**then, **inside), make.lot_sighting(**then, location="hall", how=2, lane="event:said"),
    ])  # fmt: skip
    with History(told.settings) as history:
        explainer = Explainer(history, lots_named(history, ["B251101"]))
        (found,) = [
            one for one in explainer.report.lots[0].figures if one.location == "shelf" and one.measure == "items"
        ]
        (behind,) = explainer.explain(found.figure).facts
        places = {(place.location, place.items) for place in affected(history, "B251101").places}
    assert (found.term, found.value, found.evidence) == (Term.ON_HAND, 1, {"inferred": 1})
    assert (behind.subject, behind.location, behind.evidence) == (then["tag"], "shelf", "inferred")
    assert places == {("shelf", 1), ("store", 1), ("plant", 1)}


@pytest.fixture
def run(told: Any) -> Any:
    """Calls lotstream with the settings of the test's own database; what it printed."""
    settings = told.settings
    env = {
        "LOTSTREAM_CLICKHOUSE__URL": settings.url,
        "LOTSTREAM_CLICKHOUSE__DATABASE": settings.database,
        "LOTSTREAM_CLICKHOUSE__READER_USER": settings.reader_user,
        "LOTSTREAM_CLICKHOUSE__READER_PASSWORD": settings.reader_password.get_secret_value(),
        "COLUMNS": "400",
    }

    def call(*words: str, code: int = 0) -> str:
        ran = CliRunner().invoke(lotstream, words, env=env, catch_exceptions=False)
        assert ran.exit_code == code, ran.output
        return ran.stdout

    return call


def test_the_command_writes_every_form(run: Any, tmp_path: Path) -> None:
    """Terminal, JSON, CSV, XLSX and HTML tell the same figures; the page is well-formed and draws the trace."""
    words = ["recall", "report", "--lot", "B251101", "--lot", "FLOUR-7"]
    files = ["--csv", str(tmp_path / "c"), "--xlsx", str(tmp_path / "r.xlsx"), "--html", str(tmp_path / "r.html")]
    answer = json.loads(run(*words, *files, "--json"))
    figures = {one["figure"]: Decimal(one["value"]) for lot in answer["lots"] for one in lot["figures"]}
    figures |= {one["figure"]: Decimal(one["value"]) for one in answer["totals"]}
    assert datetime.fromisoformat(answer["known_at"]) == KNOWN
    tables = ("accounted", "where", "sent", "processes")
    in_csv, in_xlsx = {}, {}
    book = load_workbook(tmp_path / "r.xlsx", read_only=True)
    for name in tables:
        with (tmp_path / "c" / f"{name}.csv").open(newline="") as file:
            in_csv |= {row["figure"]: Decimal(row["value"]) for row in csv.DictReader(file)}
        head, *rows = book[name].iter_rows(values_only=True)
        for row in rows:
            cells = dict(zip(head, row, strict=True))
            in_xlsx[cells["figure"]] = Decimal(str(cells["value"]))
    labels = {one["figure"] for lot in answer["lots"] for one in lot["figures"]} - in_csv.keys()
    assert (in_csv, in_xlsx, labels) == (figures, figures, set())
    page = (tmp_path / "r.html").read_text()
    root = ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>"))
    said = "".join(root.itertext())
    assert all(name in said for name in figures)
    assert "{http://www.w3.org/2000/svg}svg" in {one.tag for one in root.iter()}
    shown = run(*words)
    assert "certifies nothing" in shown and "desadv:7" in shown and "documents.v1/0 7" in shown
    name = next(one for one in figures if one.startswith("sent-"))
    assert name in run(*words, "--explain", name)
    assert json.loads(run(*words, "--explain", "sent-0", "--json", code=1))["error"] == "figure_missing"
    run("recall", "report", code=2)


def test_the_dossier_of_a_lot(run: Any, told: Any, tmp_path: Path) -> None:
    """Record, masters, steps, balances, documents, movements and events in one page and one archive, the same again."""
    texts = {"made-w": "{}", "t1": '{"type": "TransformationEvent"}'}
    told.put("events", [
        TraceEvent(
            event_type=EventType.OBJECT, action=Action.ADD, event_hash=name, event_time_us=NOW, text=text, subject="s",
            stamp=Stamp(received_us=NOW, origin=Origin.LIVE, source="erp", request="r"),
        ).encode()
        for name, text in texts.items()
    ])  # fmt: skip
    told.passed(KNOWN)
    paths = [tmp_path / "a.zip", tmp_path / "b.zip"]
    for path in paths:
        shown = run("lot", "dossier", "FLOUR-7", "--zip", str(path), "--html", str(tmp_path / "d.html"))
    assert "certifies nothing" in shown
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with zipfile.ZipFile(paths[0]) as archive:
        names = set(archive.namelist())
        answer = json.loads(archive.read("dossier.json"))
        assert json.loads(archive.read("events.json")) == [{}, {"type": "TransformationEvent"}]
    tables = {
        "said",
        "masters",
        "step_back",
        "production",
        "documents",
        "movements",
        "events",
        "blind_windows",
        "where",
    }
    assert {f"tables/{name}.csv" for name in tables} | {"dossier.html"} <= names
    assert [one["event"] for one in answer["events"]] == ["made-w", "t1"]
    assert answer["movements"][0]["amount"] == "100.000000"
    assert [one["what"] for one in answer["entries"]] == ["said"]
    assert answer["steps"]["forward"][0]["document"] == "desadv:7"
    ElementTree.fromstring((tmp_path / "d.html").read_text().removeprefix("<!DOCTYPE html>"))
    assert json.loads(run("lot", "dossier", "CAKE", "--json"))["production"]["lines"][0]["out"] == "18.000000"
    cut = json.loads(run("lot", "dossier", "FLOUR-7", "--limit", "1", "--json"))
    assert cut["truncated"] == ["documents", "movements", "events"]


def test_the_page_of_the_documentation(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of docs/recall-report.md does what the page says."""
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).resolve().parents[3] / "docs" / "recall-report.md").read_text(encoding="utf-8")
    figure = ""
    for block in re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line.partition("|")[0])[1:]
            code = 1 if "--tolerance" in words else 0  # of the 20 kg that went in 2 are not explained: outside
            said = run(*(figure if word == "$(cat figure)" else word for word in words), code=code)
            figure = next(iter(re.findall(r"sent-[0-9a-f]{8}", said)), figure)
            assert "certifies nothing" in said or words[0] == "balance" or figure in said
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.html", "report.xlsx", "report", "dossier.html", "dossier.zip",
    }  # fmt: skip
