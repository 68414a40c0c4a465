"""Recall cases by the commands, on a running stack: a real one from its opening to its close, and a mock one."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.system

GTIN = "09521234543213"
HALL, YARD = "https://id.gs1.org/414/0614141000012", "https://id.gs1.org/414/0614141000029"


def of_class(code: str) -> dict[str, Any]:
    return {"epcClass": f"https://id.gs1.org/01/{GTIN}/10/{code}", "quantity": 40, "uom": "KGM"}


def units(first: int, last: int) -> list[str]:
    return [f"https://id.gs1.org/01/{GTIN}/21/{serial}" for serial in range(first, last + 1)]


def event(at: str, **given: Any) -> dict[str, Any]:
    place = {"eventTimeZoneOffset": "+00:00", "readPoint": {"id": HALL}, "bizLocation": {"id": HALL}}
    return {"type": "ObjectEvent", "eventTime": f"2026-03-02T{at}:00Z", **place, **given}


BEGUN = {"action": "ADD", "bizStep": "commissioning"}
WORLD = [
    event("06:00", **BEGUN, quantityList=[of_class("FRUIT")]),
    event("07:00", **BEGUN, epcList=units(1, 5), ilmd={"cbvmda:lotNumber": "MILK"}),
    event("08:00", action="OBSERVE", bizStep="storing", epcList=units(1, 3), bizLocation={"id": YARD}),
    event("09:00", type="TransformationEvent", bizStep="commissioning", inputQuantityList=[of_class("FRUIT")],
          outputQuantityList=[of_class("YOG")]),
]  # fmt: skip


@pytest.fixture(scope="module")
def plant(own_stack: Any) -> Any:
    """A stack with an ingredient, what was made of it, and units that stood in two places."""
    for one in WORLD:
        answer = own_stack.doors.post("/events", json=one)
        assert answer.status_code == 201, answer.text
    own_stack.settle()
    return own_stack


def done(stack: Any, *words: str) -> str:
    """What a command prints that ends well."""
    found = stack.run(*words)
    assert found.returncode == 0, found.stderr
    return str(found.stdout)


def told(stack: Any, *words: str) -> Any:
    return json.loads(done(stack, *words, "--json"))


def codes(lots: list[dict[str, Any]]) -> dict[str, bool]:
    """Lots of an answer by their codes, and whether they are whole."""
    return {lot["lot"].rpartition("/")[2]: lot["whole"] for lot in lots}


def held(stack: Any, code: str) -> list[tuple[str, list[list[int]]]]:
    shown = told(stack, "lot", "show", f"01/{GTIN}/10/{code}")["lot"]
    return [(hold["hold"], hold["scope"]["serials"]) for hold in shown["holds"]]


def test_a_recall_from_opening_to_close(plant: Any) -> None:
    """A scope by ingredient and by exposure shows what it adds; initiated, its holds are on the lots and parts; they
    follow when it is widened, narrowed, repeated; a close releases them; the trail has everyone's reasons."""
    assert done(plant, "recall", "open", "--case", "R-1", "--reason", "glass", "--by", "ann") == "R-1\n"
    again = plant.run("recall", "open", "--case", "R-1", "--reason", "glass")
    assert again.returncode == 1 and "which is opened already" in again.stderr
    tried = told(plant, "recall", "scope", "R-1", "--add-ingredient", "FRUIT", "--dry-run")
    assert (tried["recorded"], codes(tried["added"])) == (False, {"FRUIT": True, "YOG": True})
    said = told(plant, "recall", "scope", "R-1", "--add-ingredient", "FRUIT", "--reason", "the supplier called")
    assert (said["version"], said["before"]["lots"], said["after"]["lots"]) == (1, 0, 2)
    assert said["after"]["amounts"] == {"KGM": "80.000000"}
    assert "holds placed: 2" in done(plant, "recall", "initiate", "R-1", "--reason", "crisis team", "--by", "bob")
    assert held(plant, "FRUIT") == held(plant, "YOG") == [("recall:R-1", [])]
    assert told(plant, "lot", "show", "YOG")["lot"]["status"] == "recalled"
    window = ["--from", "2026-03-02T08:30:00Z", "--to", "2026-03-02T10:00:00Z"]
    yard = YARD.removeprefix("https://id.gs1.org/")
    more = told(plant, "recall", "scope", "R-1", "--add-exposed", yard, *window, "--reason", "same shelf")
    assert (codes(more["added"]), more["added"][0]["items"], more["holds_placed"]) == ({"MILK": False}, 3, 1)
    assert held(plant, "MILK") == [("recall:R-1", [[1, 3]])]
    report = told(plant, "recall", "report", "R-1")
    assert {lot["lot"]["code"] for lot in report["lots"]} == {"FRUIT", "YOG", "MILK"}
    less = told(plant, "recall", "scope", "R-1", "--exclude-lot", "FRUIT", "--reason", "X-rayed")
    assert (codes(less["removed"]), less["holds_released"], held(plant, "FRUIT")) == ({"FRUIT": True}, 1, [])
    assert "holds placed: 0, holds released: 0" in done(plant, "recall", "initiate", "R-1", "--reason", "once more")
    assert "released: 2" in done(plant, "recall", "close", "R-1", "--release-all", "--reason", "all back")
    assert held(plant, "YOG") == held(plant, "MILK") == []
    late = plant.run("recall", "scope", "R-1", "--add-lot", "FRUIT", "--reason", "late")
    assert late.returncode == 1 and "Expected a case that is not closed" in late.stderr
    status = told(plant, "recall", "status", "R-1")
    assert (status["case"]["state"], status["holds"], status["case"]["scope_version"]) == ("closed", [], 3)
    assert [(entry["step"], entry["reason"]) for entry in status["trail"]] == [
        ("open", "glass"), ("scope", "the supplier called"), ("initiate", "crisis team"), ("scope", "same shelf"),
        ("scope", "X-rayed"), ("close", "all back"),
    ]  # fmt: skip
    assert {"ann", "bob"} <= {entry["by"] for entry in status["trail"]}


def test_a_mock_recall_ends_in_a_record(plant: Any, tmp_path: Any) -> None:
    """A mock recall holds nothing; its close prints the traceability test record, which is the same later on."""
    name = done(plant, "recall", "open", "--mock", "--team", "ann", "--reason", "yearly drill").strip()
    done(plant, "recall", "scope", name, "--add-lot", "YOG", "--reason", "drawn by lot")
    assert "holds placed: 0" in done(plant, "recall", "initiate", name, "--reason", "go")
    assert held(plant, "YOG") == []
    page = tmp_path / "record.html"
    done(
        plant, "recall", "close", name, "--corrective", "label pallets", "--record", str(page), "--reason", "found all"
    )
    record = told(plant, "recall", "record", name)
    assert [node["name"] for node in record["back"]["lots"]] == [f"01/{GTIN}/10/FRUIT"]
    assert [one["percent"] for one in record["lots"][0]["accounted"]] == ["100.00"]
    assert record["ended_at"] and record["case"]["elapsed_s"] > 0
    for words in ("Traceability test record", "label pallets", f"01/{GTIN}/10/FRUIT", "ann"):
        assert words in page.read_text()
    again = told(plant, "recall", "record", name)
    assert {**record, "milliseconds": 0} == {**again, "milliseconds": 0}


def test_errors_say_what_there_is(plant: Any) -> None:
    """An unknown case lists those that there are, an unknown lot those like it, an unknown place likewise."""
    done(plant, "recall", "open", "--case", "R-2", "--reason", "glass")
    missing = plant.run("recall", "status", "R-9", "--json")
    assert missing.returncode == 1
    assert json.loads(missing.stdout)["error"] == "case_missing" and "R-2" in json.loads(missing.stdout)["near"]
    near = plant.run("recall", "scope", "R-2", "--add-lot", "FRUTI", "--dry-run", "--json")
    assert json.loads(near.stdout)["near"] == [f"01/{GTIN}/10/FRUIT"]
    window = ["--from", "2026-03-02", "--to", "2026-03-02"]
    place = plant.run("recall", "scope", "R-2", "--add-exposed", "Hal", *window, "--dry-run", "--json")
    assert json.loads(place.stdout)["error"] == "location_missing" and "Hall" in json.loads(place.stdout)["near"]
