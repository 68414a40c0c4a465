"""docs/guarantees.md and docs/runbook.md name what there is."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
GUARANTEES = (ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.M)
}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_every_promise_names_its_test() -> None:
    """Each row of what is promised names at least one test, and every test that the page names is in the tree."""
    promised = GUARANTEES.split("\n## Promised\n", 1)[1].split("\n## ", 1)[0]
    rows = [row for row in promised.splitlines() if row.startswith("| ")][1:]
    assert len(rows) > 15
    assert [row for row in rows if not re.search(r"`test_\w+`", row)] == []
    assert set(re.findall(r"`(test_\w+)`", GUARANTEES)) - TESTS == set()


def test_the_first_screen_of_the_readme_leads_there() -> None:
    """Who reads the first sixty lines of the README has met the link."""
    assert "docs/guarantees.md" in "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:60])


def test_every_table_of_the_history_has_its_key() -> None:
    """A table that migrations make with versions or facts is in the list of keys."""
    made = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "sinks" / "migrations").glob("*.sql"))
    tables = set(re.findall(r"CREATE TABLE IF NOT EXISTS \$\{database\}\.(\w+)", made))
    keys = GUARANTEES.split("\n## The key of each table\n", 1)[1].split("\n## ", 1)[0]
    assert tables - set(re.findall(r"`(\w+)`", keys)) == {
        "locations", "read_points", "sink_offsets", "lot_names", "lot_events", "lot_places", "legal_holds",  # no facts
    }  # fmt: skip


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_alert_has_its_section(rule: dict[str, Any]) -> None:
    """An alert leads to the section of its name, which says what it means, what is lost and what to do."""
    name = rule["alert"]
    assert rule["annotations"]["runbook"] == f"docs/runbook.md#{name.lower()}"
    section = RUNBOOK.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]
    assert all(word in section for word in ("**Means**", "**Lost**", "**Do**"))


def test_every_section_has_its_alert() -> None:
    """No section outlives its alert, and they come in the order of the rules."""
    assert re.findall(r"^## (\w+)$", RUNBOOK, re.M) == [rule["alert"] for rule in rules()]
