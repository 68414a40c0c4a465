"""The closed set of metrics: every name with its kind, unit, help and labels, in one table.

Names after Prometheus' rules: base units, `_seconds`, `_bytes`, `_total`. Labels have few values: closed words, topic,
partition, read point; never a lot, an EPC or a GTIN. `docs/metrics.md` is generated from the table.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FAST_SECONDS = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SLOW_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
SIZES = (1.0, 10.0, 50.0, 100.0, 200.0, 300.0, 400.0, 500.0, 1_000.0, 10_000.0)


class MetricUndeclared(LookupError):
    """The name is not in the table, or is there as another kind."""


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Label(StrEnum):
    """All labels there are."""

    DOOR = "door"
    FLAG = "flag"
    FORMAT = "format"
    OUTCOME = "outcome"
    PARTITION = "partition"
    QUERY = "query"
    READ_POINT = "read_point"
    REASON = "reason"
    SINK = "sink"
    STAGE = "stage"
    TABLE = "table"
    TOPIC = "topic"
    VERSION = "version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """One row of the table. `unit` is what a value counts; buckets belong to histograms."""

    name: str
    kind: Kind
    unit: str
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()


def _counter(name: str, text: str, *labels: Label) -> Declared:
    unit = name.removesuffix("_total").rsplit("_", 1)[-1]
    return Declared(name=name, kind=Kind.COUNTER, unit=unit, help=text, labels=labels)


def _gauge(name: str, text: str, *labels: Label) -> Declared:
    return Declared(name=name, kind=Kind.GAUGE, unit=name.rsplit("_", 1)[-1], help=text, labels=labels)


def _histogram(name: str, text: str, *labels: Label, buckets: tuple[float, ...] = FAST_SECONDS) -> Declared:
    unit = name.rsplit("_", 1)[-1]
    return Declared(name=name, kind=Kind.HISTOGRAM, unit=unit, help=text, labels=labels, buckets=buckets)


_GATEWAY = (
    _counter("lotstream_gateway_requests_total", "Requests answered.", Label.DOOR, Label.OUTCOME),
    _histogram("lotstream_gateway_request_seconds", "Receipt of a request to its answer.", Label.DOOR),
    _gauge("lotstream_gateway_in_flight_requests", "Requests received and not yet answered."),
    _gauge("lotstream_gateway_pending_bytes", "Message bytes handed to the producer and not yet acknowledged."),
    _counter("lotstream_gateway_received_bytes_total", "Request bodies, unpacked.", Label.DOOR),
    _counter("lotstream_reads_received_total", "Reads understood and stamped.", Label.FORMAT, Label.READ_POINT),
    _counter("lotstream_reads_rejected_total", "Reads that went to the dead letters.", Label.FORMAT, Label.REASON),
    _counter("lotstream_reader_events_total", "GPI, antenna, heartbeat and overflow events.", Label.READ_POINT),
    _counter("lotstream_events_received_total", "Business events taken in.", Label.FORMAT),
    _counter("lotstream_events_rejected_total", "Business events refused.", Label.FORMAT, Label.REASON),
    _counter("lotstream_events_flagged_total", "Business events taken in and odd, by what is odd.", Label.FLAG),
    _counter("lotstream_batches_published_total", "Messages acknowledged by the brokers.", Label.TOPIC),
    _histogram("lotstream_batch_size_reads", "Reads in a published batch.", buckets=SIZES),
    _histogram("lotstream_publish_seconds", "Hand-over of a message to its acknowledgement.", Label.TOPIC),
    _counter("lotstream_publish_failures_total", "Messages that the brokers did not take.", Label.TOPIC),
    _gauge("lotstream_reader_clock_offset_seconds", "Reader's clock behind ours, from live data.", Label.READ_POINT),
    _gauge("lotstream_spool_bytes", "On disk, of requests acknowledged while Kafka was away."),
    _gauge("lotstream_spool_records", "Requests on disk that are not sent on yet."),
    _gauge("lotstream_spool_age_seconds", "Age of the oldest request on disk; 0 without one."),
    _counter("lotstream_spool_kept_records_total", "Requests written to disk."),
    _counter("lotstream_spool_refused_requests_total", "Requests that neither Kafka nor the disk took."),
    _counter("lotstream_source_stops_total", "Sources stopped for a flood of dead letters.", Label.DOOR),
    _gauge("lotstream_stopped_sources", "Sources that are stopped now."),
    _counter("lotstream_dead_letters_total", "Dead letters written.", Label.STAGE, Label.REASON),
)

_ENGINE = (
    _counter("lotstream_stage_records_total", "Source messages applied.", Label.STAGE),
    _counter("lotstream_stage_gone_records_total", "Source messages deleted before they were read.", Label.STAGE),
    _counter("lotstream_stage_apply_seconds_total", "Spent in deciding.", Label.STAGE),
    _gauge("lotstream_stage_lag_records", "Records behind the end at the last commit.", Label.STAGE),
    _gauge("lotstream_stage_commit_timestamp_seconds", "Instant of the last commit, since 1970.", Label.STAGE),
    _gauge("lotstream_stage_assigned_partitions", "Partitions this worker owns.", Label.STAGE),
    _histogram("lotstream_stage_load_seconds", "Load of partitions' state.", Label.STAGE, buckets=SLOW_SECONDS),
    _counter("lotstream_stage_load_records_total", "State records read back.", Label.STAGE),
    _counter("lotstream_stage_store_left_total", "Local stores that were found no good, or given up.", Label.STAGE),
    _gauge("lotstream_locate_standing_alerts", "Alerts of goods that must not move on, raised or confirmed."),
    _gauge("lotstream_resolve_waiting_tags", "Tags whose sightings are kept until their lot is known."),
    _gauge(
        "lotstream_resolve_forgotten_timestamp_seconds", "Newest read of a tag that waits no more, since 1970; 0: none."
    ),
)

_SINKS = (
    _counter("lotstream_sink_records_total", "Messages decoded.", Label.SINK, Label.TOPIC),
    _counter("lotstream_sink_rows_total", "Rows inserted.", Label.SINK, Label.TABLE),
    _counter("lotstream_sink_batches_total", "Inserts done.", Label.SINK, Label.TABLE),
    _histogram("lotstream_sink_insert_seconds", "One insert.", Label.SINK, Label.TABLE, buckets=SLOW_SECONDS),
    _counter("lotstream_sink_retries_total", "Inserts tried again after an outage.", Label.SINK),
    _gauge("lotstream_sink_waiting_seconds", "Since ClickHouse is asked for what it has not done yet.", Label.SINK),
    _gauge("lotstream_sink_lag_records", "Records behind the end at the last commit.", Label.SINK),
    _gauge("lotstream_sink_commit_timestamp_seconds", "Instant of the last commit, since 1970.", Label.SINK),
)

_PROCESS = (
    _gauge("lotstream_build_info", "1, with the version that runs.", Label.VERSION),
    _gauge("lotstream_ready_state", "1 when every check of /readyz passes, else 0."),
    _gauge("lotstream_beat_age_seconds", "Since the process' loop last beat."),
)

TABLE: tuple[Declared, ...] = (*_GATEWAY, *_ENGINE, *_SINKS, *_PROCESS)
DECLARED: Mapping[str, Declared] = MappingProxyType({declared.name: declared for declared in TABLE})


def declared(name: str) -> Declared:
    """The row of `name`. Raises `MetricUndeclared`."""
    try:
        return DECLARED[name]
    except KeyError:
        raise MetricUndeclared(f"Expected a declared metric, got {name!r}.") from None


class Metrics:
    """The metrics of one process, made from the table when first asked for. Safe for threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._made: dict[str, Counter | Gauge | Histogram] = {}
        self._lock = threading.Lock()
        ProcessCollector(registry=self.registry)

    def metric(self, name: str) -> Counter | Gauge | Histogram:
        """The metric called `name`, of whatever kind. Raises `MetricUndeclared`."""
        with self._lock:
            made = self._made.get(name)
            if made is None:
                made = self._made[name] = _make(declared(name), self.registry)
            return made

    def counter(self, name: str) -> Counter:
        """The counter called `name`. Raises `MetricUndeclared`."""
        metric = self.metric(name)
        if not isinstance(metric, Counter):
            raise MetricUndeclared(f"Expected a counter, got {declared(name).kind} {name!r}.")
        return metric

    def gauge(self, name: str) -> Gauge:
        """The gauge called `name`. Raises `MetricUndeclared`."""
        metric = self.metric(name)
        if not isinstance(metric, Gauge):
            raise MetricUndeclared(f"Expected a gauge, got {declared(name).kind} {name!r}.")
        return metric

    def histogram(self, name: str) -> Histogram:
        """The histogram called `name`. Raises `MetricUndeclared`."""
        metric = self.metric(name)
        if not isinstance(metric, Histogram):
            raise MetricUndeclared(f"Expected a histogram, got {declared(name).kind} {name!r}.")
        return metric

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)


def _make(row: Declared, registry: CollectorRegistry) -> Counter | Gauge | Histogram:
    if row.kind is Kind.COUNTER:
        return Counter(row.name, row.help, row.labels, registry=registry)
    if row.kind is Kind.GAUGE:
        return Gauge(row.name, row.help, row.labels, registry=registry)
    return Histogram(row.name, row.help, row.labels, buckets=row.buckets, registry=registry)
