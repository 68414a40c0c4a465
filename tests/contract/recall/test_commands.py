"""The commands over the history, as people and programs call them, on the real engine."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from lotstream.cli.main import lotstream
from lotstream.schemas.documents import Transformation

T0 = 1_763_370_000_000_000
A, B = "01/90614141000411/10/A", "01/90614141000411/10/B"


@pytest.fixture
def run(warehouse: Any) -> Any:
    """Calls lotstream with the settings of the test's own database."""
    settings = warehouse.settings
    env = {
        "LOTSTREAM_CLICKHOUSE__URL": settings.url,
        "LOTSTREAM_CLICKHOUSE__DATABASE": settings.database,
        "LOTSTREAM_CLICKHOUSE__READER_USER": settings.reader_user,
        "LOTSTREAM_CLICKHOUSE__READER_PASSWORD": settings.reader_password.get_secret_value(),
    }
    known: dict[str, Any] = {
        "process": "e",
        "event": "e",
        "at_us": T0,
        "recorded_us": T0,
        "amount": Decimal(2),
        "uom": "KGM",
    }
    sides = [Transformation(side="input", lot=A, **known), Transformation(side="output", lot=B, **known)]
    warehouse.put("documents", [side.encode() for side in sides])

    def call(*words: str) -> Result:
        return CliRunner().invoke(lotstream, list(words), env=env, catch_exceptions=False)

    return call


def test_trace(run: Any, tmp_path: Path) -> None:
    """`trace` prints a tree, JSON or DOT, draws SVG, and says what it does not know with exit code 1."""
    assert "B  2 KGM" in run("trace", "A").stdout
    answer = json.loads(run("trace", B, "--back", "--json", "--svg", str(tmp_path / "t.svg")).stdout)
    assert ([node["name"] for node in answer["nodes"]], answer["capped"]) == ([B, A], "")
    assert (tmp_path / "t.svg").read_text().startswith("<svg")
    assert run("trace", "A", "--dot").stdout.startswith("digraph")
    missing = run("trace", "nothing", "--json")
    assert (missing.exit_code, json.loads(missing.stdout)["error"]) == (1, "lot_missing")
    then = json.loads(run("trace", "A", "--as-of", "2025-11-01", "--json").stdout)
    assert (len(then["nodes"]), then["as_of"]) == (1, "2025-11-01T23:59:59.999999Z")


def test_instants_are_checked(run: Any) -> None:
    """A time without its zone is refused with what was expected."""
    refused = run("where", "A", "--as-of", "2026-03-02T10:00:00")
    assert refused.exit_code == 2
    assert "Expected an instant with its zone or a date" in refused.stderr


def test_fsma(run: Any, tmp_path: Path) -> None:
    """`fsma` prints counts and what is missing, writes the file that is named, and refuses another kind of file."""
    shown = run("fsma", "A", "B", "--out", str(tmp_path / "f.xlsx"))
    assert "certifies nothing" in shown.stdout
    assert (tmp_path / "f.xlsx").exists()
    answer = json.loads(run("fsma", "B", "--json").stdout)
    assert [len(sheet["rows"]) for sheet in answer["sheets"]] == [0, 0, 0, 0, 0, 0, 1]
    refused = run("fsma", "A", "--out", "f.pdf")
    assert (refused.exit_code, "Expected a file named .xlsx or .csv" in refused.stderr) == (2, True)


def test_steps(run: Any) -> None:
    """`steps` says what is known of both sides, and that nothing is where it is so."""
    assert "Made from: A" in run("steps", "B").stdout
    assert "One step forward: nothing is known." in run("steps", "B").stdout
    assert json.loads(run("steps", "B", "--json").stdout)["made_from"] == [A]


def test_sql(run: Any, tmp_path: Path) -> None:
    """`sql` answers a query or a file of one, as a table, CSV or JSON, and refuses with exit code 2 what is none."""
    query = tmp_path / "q.sql"
    query.write_text(
        "SELECT input, output_amount FROM trace_edges WHERE output = {lot:String} AND at <= {as_of:DateTime64(6)}"
    )
    assert run("sql", str(query), "--param", f"lot={B}", "--csv").stdout.split() == [
        "input,output_amount",
        f"{A},2.000000",
    ]
    assert json.loads(run("sql", str(query), "--param", f"lot={B}", "--json").stdout)["rows"] == [[A, "2.000000"]]
    assert (
        json.loads(run("sql", str(query), "--param", "lot=x", "--as-of", "2025-01-01", "--json").stdout)["rows"] == []
    )
    assert "1 rows" in run("sql", "SELECT 1").stdout
    refused = run("sql", "DROP TABLE lots")
    assert (refused.exit_code, "Expected a query that the server answers" in refused.stderr) == (2, True)
    assert run("sql", "SELECT 1", "--param", "lot").exit_code == 2
