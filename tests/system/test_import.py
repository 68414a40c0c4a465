"""Files of an ERP on a running stack: again they change nothing, corrected they correct, complete they remove."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
HEAD = "document,line,date,product,lot,amount,uom,location,party"
PLANT, CUSTOMER = "0614141000012", "0614141001019"
LOT = "01/09506000134352/10/IMP1"


def row(document: str, line: int, amount: str, lot: str = "IMP1") -> str:
    """A row of the plain form."""
    return f"{document},{line},2025-11-17,09506000134352,{lot},{amount},kg,{PLANT},{CUSTOMER}"


def test_a_world_without_tags_is_answered(tmp_path: Path) -> None:
    """The five files of examples/erp come to the answers of expected.json, and nothing is left behind."""
    played = subprocess.run(
        [sys.executable, ROOT / "examples" / "erp" / "play.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert played.returncode == 0, played.stdout[-3000:] + played.stderr[-2000:]
    assert list(tmp_path.iterdir()) == []


def test_a_file_again_a_corrected_one_and_a_complete_one(own_stack: Any, tmp_path: Path) -> None:
    """Stock and lots follow the lines: once however often they came, as last said, not what a complete file lacks."""

    def bring(kind: str, *rows: str, options: tuple[str, ...] = (), code: int = 0) -> dict[str, Any]:
        file = tmp_path / f"{kind}.csv"
        file.write_text("\n".join([HEAD, *rows]) + "\n")
        done = own_stack.run("import", file, "--as", kind, "--by", "ann", *options, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        return dict(json.loads(done.stdout))

    def here() -> dict[str, float]:
        own_stack.settle()
        found = json.loads(own_stack.run("stock", "--location", f"414/{PLANT}", "--json").stdout)
        return {one["code"]: float(one["amount"]) for one in found["rows"]}

    first = (row("GR-1", 10, "100"), row("GR-1", 20, "50", "IMP2"), row("GR-1", 30, "7", "IMP3"))
    assert bring("receipts", *first)["accepted"] == 3
    again = bring("receipts", *first)
    assert (again["accepted"], again["unchanged"]) == (0, 3)
    assert here() == {"IMP1": 100, "IMP2": 50, "IMP3": 7}
    corrected = (row("GR-1", 10, "80"), row("GR-1", 20, "50", "IMP2"))
    assert bring("receipts", *corrected)["corrected"] == 1
    assert here() == {"IMP1": 80, "IMP2": 50, "IMP3": 7}
    assert bring("receipts", *corrected, options=("--complete", "--check"))["retracted"] == 1
    assert bring("receipts", *corrected, options=("--complete",))["retracted"] == 1
    assert here() == {"IMP1": 80, "IMP2": 50}
    assert bring("receipts", *first)["corrected"] == 2
    assert here() == {"IMP1": 100, "IMP2": 50, "IMP3": 7}
    made = json.loads(own_stack.run("lots", "--json").stdout)["lots"]
    assert {lot["code"]: float(lot["amount"]) for lot in made} == {"IMP1": 100, "IMP2": 50, "IMP3": 7}
    wrong = (row("GR-2", 10, "-1"), row("GR-2", 20, "9", "IMP4"))
    assert bring("receipts", *wrong, code=1)["sent"] is False
    assert bring("receipts", *wrong, options=("--proceed",), code=1)["accepted"] == 1
    assert here() == {"IMP1": 100, "IMP2": 50, "IMP3": 7, "IMP4": 9}
    listed = json.loads(own_stack.run("import", "--list", "--json").stdout)["imports"]
    assert {(one["by"], one["file"], one["what"]) for one in listed} == {("ann", "receipts.csv", "receipts")}
    assert [(one["unchanged"], one["corrected"], one["retracted"]) for one in listed] == [
        (0, 0, 0), (3, 0, 0), (1, 1, 0), (2, 0, 1), (1, 2, 0), (0, 0, 0),
    ]  # fmt: skip


def test_master_data_arrive(own_stack: Any, tmp_path: Path) -> None:
    """What a file says of lots and places stands in the answers; a corrected file corrects it, whenever it comes."""

    def bring(kind: str, head: str, *rows: str) -> dict[str, Any]:
        file = tmp_path / f"{kind}.csv"
        file.write_text("\n".join([head, *rows]) + "\n")
        done = own_stack.run("import", file, "--as", kind, "--by", "ann", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads(done.stdout))

    for expires in ("2026-05-31", "2026-06-30", "2026-05-31"):
        lots = bring("lots", "product,lot,expires,supplier_lot", f"09506000134352,M/1,{expires},S-881")
        assert (lots["accepted"], lots["rejected"]) == (1, 0)
        own_stack.settle()
        (lot,) = json.loads(own_stack.run("lots", "S-881", "--json").stdout)["lots"]
        assert (lot["lot"], lot["expires"]) == ("01/09506000134352/10/M%2F1", expires)
    bring("locations", "location,description,city", f"{PLANT},Plant,Ulm")
    own_stack.settle()
    assert own_stack.rows("SELECT name, city FROM masters WHERE subject = {s:String}", s=f"414/{PLANT}") == [
        ("Plant", "Ulm")
    ]
