"""Prometheus' configuration and rules and Grafana's dashboard against the declared metrics."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lotstream.deploy import dashboard
from lotstream.runtime.metrics import DECLARED, TABLE, Kind

SUFFIX = re.compile(r"_(bucket|sum|count)$")
METRIC = re.compile(r"\blotstream_[a-z0-9_]+\b")


def check(expression: str) -> None:
    """Every metric of ours in an expression is declared, with suffix of its kind and labels that it has."""
    for name in METRIC.findall(expression):
        base = name if name in DECLARED else SUFFIX.sub("", name)
        assert base in DECLARED, name
        if base != name:
            assert DECLARED[base].kind is Kind.HISTOGRAM
    known = {str(label) for name in METRIC.findall(expression) for label in DECLARED[SUFFIX.sub("", name)].labels}
    known |= {"le", "job", "instance", "service"}
    for group in re.findall(r"by \(([^)]*)\)", expression):
        assert {word.strip() for word in group.split(",") if word.strip()} <= known, expression
    for matcher in re.findall(r"\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)\s*[!=]", matcher)) <= known, expression


def rules(root: Path) -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load((root / "deploy/prometheus/rules.yml").read_text())["groups"]:
        yield from group["rules"]


def test_rules_speak_of_declared_metrics(root: Path) -> None:
    """Each alert uses metrics and labels that the processes have, and says what to do."""
    for rule in rules(root):
        check(rule["expr"])
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "warn")
        assert set(rule["annotations"]) == {"summary", "action", "runbook"}
        said = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
        by = re.search(r"by \(([^)]*)\)", rule["expr"])
        if by is not None:
            assert said <= {word.strip() for word in by[1].split(",")}, rule["alert"]


def test_alerts_have_names_of_their_own(root: Path) -> None:
    """No two alerts share a name."""
    names = [rule["alert"] for rule in rules(root)]
    assert len(names) == len(set(names)) > 5


def test_prometheus_scrapes_every_process(root: Path, services: dict[str, Any]) -> None:
    """Each process of ours is scraped where it listens, with the token that it asks for."""
    config = yaml.safe_load((root / "deploy/prometheus/prometheus.yml").read_text())
    scraped: dict[str, int] = {}
    for job in config["scrape_configs"]:
        for found in job.get("dns_sd_configs", ()):
            scraped |= dict.fromkeys(found["names"], found["port"])
            token = job["authorization"]["credentials_file"]
            assert Path(token).name in services["prometheus"]["secrets"]
            for name in found["names"]:
                assert services[name]["environment"]["LOTSTREAM_METRICS__TOKEN_FILE"] == token
    ours = {"gateway", "register", "smooth", "resolve", "locate", "sink"}
    assert scraped == {name: int(services[name]["expose"][0]) for name in ours}
    assert all((root / "deploy/prometheus" / file).is_file() for file in config["rule_files"])


def test_sources_are_the_services(root: Path, services: dict[str, Any]) -> None:
    """Grafana asks the two services as the reading user, whose password it reads from the secret."""
    provisioned = yaml.safe_load((root / "deploy/grafana/provisioning/datasources/lotstream.yml").read_text())
    by_type = {source["type"]: source for source in provisioned["datasources"]}
    prometheus, clickhouse = by_type["prometheus"], by_type["grafana-clickhouse-datasource"]
    assert prometheus["uid"] == dashboard.PROMETHEUS["uid"] and clickhouse["uid"] == dashboard.CLICKHOUSE["uid"]
    assert prometheus["url"] == f"http://prometheus:{services['prometheus']['expose'][0]}"
    assert str(clickhouse["jsonData"]["port"]) in services["clickhouse"]["expose"]
    assert clickhouse["jsonData"]["username"] == "lotstream_reader"
    assert clickhouse["secureJsonData"]["password"] == "$__file{/run/secrets/clickhouse_reader}"
    assert "clickhouse_reader" in services["grafana"]["secrets"]
    plugin, version = services["grafana"]["environment"]["GF_PLUGINS_PREINSTALL_SYNC"].split("@")
    assert plugin == clickhouse["type"] and re.fullmatch(r"\d+\.\d+\.\d+", version)


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: str(metric.name))
def test_every_metric_has_a_panel(metric: Any) -> None:
    """The dashboard shows each declared metric in expressions that Prometheus understands."""
    shown = [t["expr"] for p in dashboard.dashboard()["panels"] for t in p.get("targets", ()) if "expr" in t]
    own = [expression for expression in shown if re.search(rf"\b{metric.name}(_bucket)?\b", expression)]
    assert own
    for expression in own:
        check(expression)


def test_the_dashboard_is_current(root: Path) -> None:
    """The committed dashboard is the generated one; panels do not overlap and have ids of their own."""
    committed = json.loads((root / "deploy/grafana/dashboards/lotstream.json").read_text())
    assert committed == dashboard.dashboard()
    cells: set[tuple[int, int]] = set()
    for panel in committed["panels"]:
        at = panel["gridPos"]
        own = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not own & cells and at["x"] + at["w"] <= 24
        cells |= own
    ids = [panel["id"] for panel in committed["panels"]]
    assert len(ids) == len(set(ids))
