"""The closed set of metrics."""

import re

import pytest

from lotstream.runtime.metrics import DECLARED, TABLE, Kind, Label, Metrics, MetricUndeclared


def test_undeclared_name_raises() -> None:
    """A name that is not in the table cannot be counted."""
    metrics = Metrics()
    for ask in (metrics.metric, metrics.counter, metrics.gauge, metrics.histogram):
        with pytest.raises(MetricUndeclared, match="lotstream_nonsense_total"):
            ask("lotstream_nonsense_total")


def test_wrong_kind_raises() -> None:
    """A gauge cannot be had as a counter, nor the other way round."""
    metrics = Metrics()
    for row in TABLE:
        ways = {Kind.COUNTER: metrics.counter, Kind.GAUGE: metrics.gauge, Kind.HISTOGRAM: metrics.histogram}
        ways.pop(row.kind)(row.name)
        for other in ways.values():
            with pytest.raises(MetricUndeclared, match=row.name):
                other(row.name)


def test_names_follow_the_rules() -> None:
    """Names are unique, start with lotstream_, and end with their unit; counters and only counters in _total."""
    assert len(DECLARED) == len(TABLE)
    for row in TABLE:
        assert re.fullmatch(r"lotstream_[a-z]+(_[a-z]+)+", row.name), row
        assert (row.kind is Kind.COUNTER) == row.name.endswith("_total"), row
        assert not re.search(r"_(ms|millis|kb|mb|us)(_|$)", row.name), row
        assert row.name.removesuffix("_total").endswith(row.unit), row
        assert bool(row.buckets) == (row.kind is Kind.HISTOGRAM), row
        assert row.help.endswith(".") and list(row.buckets) == sorted(row.buckets), row


def test_no_label_can_explode() -> None:
    """No label holds a lot, an EPC, a GTIN, a tag or a serial."""
    assert not {"lot", "epc", "gtin", "tag", "serial", "sscc", "unit"} & set(Label)


def test_exposition_shows_what_was_counted() -> None:
    """What one process counts stands in its own exposition and in no other's."""
    mine, other = Metrics(), Metrics()
    mine.counter("lotstream_stage_records_total").labels(stage="smooth").inc(3)
    mine.counter("lotstream_stage_records_total").labels(stage="smooth").inc(4)
    assert b'lotstream_stage_records_total{stage="smooth"} 7.0' in mine.exposition()
    assert b"lotstream_stage_records_total" not in other.exposition()
    assert b"process_resident_memory_bytes" in other.exposition()
