"""The recall report on a running stack: from the files of an ERP to every form of the answer."""

import csv
import json
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from openpyxl import load_workbook

pytestmark = pytest.mark.system

HEAD = "document,date,product,lot,amount,uom,location,party"
PLANT, CUSTOMER = "0614141000012", "0614141001019"
FLOUR, CAKE = "09506000134352", "09506000134369"
# what is brought, by kind: flour comes, some becomes a cake, some of the cake is sold
FILES = {
    "receipts": f"GR-1,2025-11-17,{FLOUR},FLOUR-7,100,kg,{PLANT},{CUSTOMER}",
    "consumption": f"4711,2025-11-18,{FLOUR},FLOUR-7,60,kg,{PLANT},",
    "production": f"4711,2025-11-18,{CAKE},CAKE-1,57,kg,{PLANT},",
    "shipments": f"DN-1,2025-11-19,{CAKE},CAKE-1,20,kg,{PLANT},{CUSTOMER}",
}


def test_the_report_of_a_recall(own_stack: Any, tmp_path: Path) -> None:
    """The figures of all forms are those of the files; asked again as known then, the JSON is the same; an order
    balances; the dossier holds the events."""
    for kind, row in FILES.items():
        (tmp_path / f"{kind}.csv").write_text(f"{HEAD}\n{row}\n")
        done = own_stack.run("import", tmp_path / f"{kind}.csv", "--as", kind, "--by", "ann")
        assert done.returncode == 0, done.stdout + done.stderr
    own_stack.settle()

    def ask(*words: str | Path) -> dict[str, Any]:
        done = own_stack.run(*words, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads(done.stdout))

    words = ("recall", "report", "--lot", "FLOUR-7", "--lot", "CAKE-1")
    forms = ("--html", tmp_path / "r.html", "--xlsx", tmp_path / "r.xlsx", "--csv", tmp_path / "csv")
    answer = ask(*words, *forms)
    figures = {one["figure"]: one for lot in answer["lots"] for one in lot["figures"]}
    totals = {
        (one["lot"][21:], one["term"]): Decimal(one["value"]) for one in figures.values() if one["total"]
    }  # fmt: skip
    assert (totals["FLOUR-7", "made"], totals["FLOUR-7", "consumed"], totals["FLOUR-7", "on_hand"]) == (100, 60, 40)
    assert (totals["CAKE-1", "made"], totals["CAKE-1", "shipped"], totals["CAKE-1", "on_hand"]) == (57, 20, 37)
    (sent,) = [one for one in figures.values() if one["term"] == "sent" and one["measure"] == "KGM"]
    assert sent["document"].endswith("DN-1") and Decimal(sent["value"]) == 20
    with (tmp_path / "csv" / "sent.csv").open() as file:
        assert [Decimal(row["value"]) for row in csv.DictReader(file) if row["figure"] == sent["figure"]] == [20]
    head, *rows = load_workbook(tmp_path / "r.xlsx")["sent"].iter_rows(values_only=True)
    assert [row[head.index("value")] for row in rows if row[head.index("figure")] == sent["figure"]] == [20]
    page = ElementTree.fromstring((tmp_path / "r.html").read_text().removeprefix("<!DOCTYPE html>"))
    assert sent["figure"] in "".join(page.itertext())
    (fact,) = ask(*words, "--explain", sent["figure"])["facts"]
    assert fact["topic"] == "documents.v1" and Decimal(fact["value"]) == 20
    again = [ask(*words, "--known-at", answer["known_at"]) | {"milliseconds": 0} for _ in range(2)]
    assert again[0] == again[1] == answer | {"milliseconds": 0}
    (line,) = ask("balance", "--order", "4711", "--tolerance", "6")["lines"]
    assert [Decimal(line[name]) for name in ("taken", "out", "unexplained", "percent")] == [60, 57, 3, 5]
    assert line["verdict"] == "within"
    assert own_stack.run("lot", "dossier", "CAKE-1", "--zip", tmp_path / "d.zip").returncode == 0
    with zipfile.ZipFile(tmp_path / "d.zip") as archive:
        assert len(json.loads(archive.read("events.json"))) >= 2
