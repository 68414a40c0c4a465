-- Events as sent, what readers said besides reads, what was not understood, what could not be seen, the mapping.
CREATE TABLE IF NOT EXISTS ${database}.events ${on_cluster} (
  event          String CODEC(ZSTD(1)) COMMENT 'CBV 2.0 event hash',
  event_type     LowCardinality(String),
  event_id       String CODEC(ZSTD(1)),
  at             DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  action         LowCardinality(String),
  biz_step       LowCardinality(String),
  disposition    LowCardinality(String),
  read_point     LowCardinality(String),
  biz_location   LowCardinality(String),
  error          Bool COMMENT 'an error declaration',
  text           String CODEC(ZSTD(3)),
  source         LowCardinality(String),
  recorded_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (event, error)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

-- The vendor's text has the device's own time: a copy that another gateway corrected otherwise is the same event.
CREATE TABLE IF NOT EXISTS ${database}.reader_events ${on_cluster} (
  reader         LowCardinality(String),
  at             DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  type           LowCardinality(String),
  vendor_type    LowCardinality(String),
  read_point     LowCardinality(String),
  port           Nullable(UInt8),
  state          LowCardinality(String),
  lost           Nullable(UInt64),
  text           String CODEC(ZSTD(3)),
  recorded_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (reader, type, read_point, sipHash64(text))
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS ${database}.dead_letters ${on_cluster} (
  source         LowCardinality(String),
  received_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  stage          LowCardinality(String),
  reason         LowCardinality(String),
  detail         String CODEC(ZSTD(1)),
  field          LowCardinality(String),
  origin         String CODEC(ZSTD(1)),
  bytes          String CODEC(ZSTD(3)) COMMENT 'untouched',
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (source, received_at, source_partition, source_offset)
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS ${database}.blind_windows ${on_cluster} (
  subject        LowCardinality(String),
  cause          LowCardinality(String),
  from_at        DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  until_at       Nullable(DateTime64(6, 'UTC')),
  lost           Nullable(UInt64),
  detail         String CODEC(ZSTD(1)),
  recorded_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (subject, cause, from_at, recorded_at, sipHash64(detail))
SETTINGS non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS ${database}.locations ${on_cluster} (
  id             String,
  name           String,
  site           LowCardinality(String),
  time_zone      LowCardinality(String),
  gln            String,
  kind           LowCardinality(String),
  mapping        UInt64,
  recorded_at    DateTime64(6, 'UTC'),
  source_partition UInt16,
  source_offset  UInt64,
  first          UInt64 DEFAULT 18446744073709551615 - source_offset
) ENGINE = ${Replacing}(first)
ORDER BY (id, mapping, recorded_at);

CREATE TABLE IF NOT EXISTS ${database}.read_points ${on_cluster} (
  id             String,
  door           String,
  inside         String,
  outside        String,
  mapping        UInt64,
  recorded_at    DateTime64(6, 'UTC'),
  source_partition UInt16,
  source_offset  UInt64,
  first          UInt64 DEFAULT 18446744073709551615 - source_offset
) ENGINE = ${Replacing}(first)
ORDER BY (id, mapping, recorded_at);

-- The vector of offsets that the sinks had passed, every second: what "as known at" an instant means.
CREATE TABLE IF NOT EXISTS ${database}.sink_offsets ${on_cluster} (
  topic          LowCardinality(String),
  partition      UInt16,
  at             DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
  next           UInt64 CODEC(Delta(8), ZSTD(1)) COMMENT 'everything below this offset is in the tables'
) ENGINE = ${Replacing}
ORDER BY (topic, partition, at);
