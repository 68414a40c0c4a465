"""Writes deploy/grafana/dashboards/lotstream.json: `python -m lotstream.deploy.dashboard [--check]`.

A panel for every declared metric: counters as rates, gauges as they are, histograms as their median and 99 %.
"""

import sys
from collections.abc import Iterator
from typing import Any

import orjson

from lotstream.runtime.metrics import TABLE, Declared, Kind, Label
from lotstream.runtime.pages import ROOT, keep

MODULE = "lotstream.deploy.dashboard"
FILE = ROOT / "deploy" / "grafana" / "dashboards" / "lotstream.json"
PROMETHEUS = {"type": "prometheus", "uid": "lotstream-prometheus"}
CLICKHOUSE = {"type": "grafana-clickhouse-datasource", "uid": "lotstream-clickhouse"}
WIDTH, HEIGHT, COLUMNS = 8, 7, 3
LOTS = "SELECT code, gtin, description, units, amount, uom, status FROM lot_master ORDER BY produced_at DESC LIMIT 100"

# a row for each kind of process, by the beginning of its metrics' names
ROWS = (
    ("Processes", ("lotstream_build_", "lotstream_ready_", "lotstream_beat_")),
    ("Stages", ("lotstream_stage_",)),
    ("Sinks", ("lotstream_sink_",)),
    ("Gateway", ("lotstream_",)),
)
UNITS = {"seconds": "s", "bytes": "bytes"}


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana's provisioning reads it."""
    return {
        "uid": "lotstream",
        "title": "lotstream",
        "tags": ["lotstream"],
        "schemaVersion": 41,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "utc",
        "panels": [{"id": number, **panel} for number, panel in enumerate(_panels(), 1)],
    }


def _panels() -> Iterator[dict[str, Any]]:
    y = 0
    left = list(TABLE)
    for title, beginnings in ROWS:
        own = [metric for metric in left if metric.name.startswith(beginnings)]
        left = [metric for metric in left if metric not in own]
        yield {"type": "row", "title": title, "collapsed": False, "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}}
        y += 1
        for index, metric in enumerate(own):
            x, line = index % COLUMNS * WIDTH, index // COLUMNS * HEIGHT
            yield _panel(metric) | {"gridPos": {"x": x, "y": y + line, "w": WIDTH, "h": HEIGHT}}
        y += -(-len(own) // COLUMNS) * HEIGHT
    yield {"type": "row", "title": "Lots", "collapsed": False, "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}}
    yield _lots() | {"gridPos": {"x": 0, "y": y + 1, "w": 24, "h": 2 * HEIGHT}}


def _panel(metric: Declared) -> dict[str, Any]:
    unit = UNITS.get(metric.unit, "short")
    if metric.kind is Kind.COUNTER and unit == "short":
        unit = "cps"
    return {
        "type": "timeseries",
        "title": metric.name.removeprefix("lotstream_").removesuffix("_total").replace("_", " "),
        "description": metric.help,
        "datasource": PROMETHEUS,
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + number), "datasource": PROMETHEUS, "expr": expression, "legendFormat": legend}
            for number, (expression, legend) in enumerate(expressions(metric))
        ],
    }


def expressions(metric: Declared) -> Iterator[tuple[str, str]]:
    """(PromQL, legend) of a metric."""
    by = ", ".join(metric.labels)
    legend = " ".join(f"{{{{{label}}}}}" for label in metric.labels) or metric.unit
    if metric.kind is Kind.COUNTER:
        yield f"sum by ({by}) (rate({metric.name}[$__rate_interval]))", legend
    elif metric.kind is Kind.HISTOGRAM:
        inner = f"sum by ({', '.join(['le', *metric.labels])}) (rate({metric.name}_bucket[$__rate_interval]))"
        for share, word in ((0.5, "half"), (0.99, "99 %")):
            yield f"histogram_quantile({share}, {inner})", f"{legend} {word}"
    elif metric.name.endswith("_timestamp_seconds"):
        yield f"time() - max by ({by}) ({metric.name})", f"{legend} ago"
    elif Label.STAGE in metric.labels:
        yield f"sum by ({by}) ({metric.name})", legend
    else:
        yield metric.name, "{{job}} {{instance}}" if not metric.labels else f"{{{{instance}}}} {legend}"


def _lots() -> dict[str, Any]:
    return {
        "type": "table",
        "title": "Newest lots",
        "datasource": CLICKHOUSE,
        "targets": [
            {
                "refId": "A",
                "datasource": CLICKHOUSE,
                "editorType": "sql",
                "queryType": "table",
                "format": 1,
                "rawSql": LOTS,
            }
        ],
    }


if __name__ == "__main__":
    text = orjson.dumps(dashboard(), option=orjson.OPT_INDENT_2).decode() + "\n"
    sys.exit(keep(FILE, text, module=MODULE))
