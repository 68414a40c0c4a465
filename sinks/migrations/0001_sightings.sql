-- Sightings: every version of every fact stays; Replacing removes exact duplicates only, and of a repeated
-- delivery the first copy stays (first = 2^64-1 - offset), so that an older "as known at" loses nothing.
CREATE TABLE IF NOT EXISTS ${database}.sightings ${on_cluster} (
  tag            String CODEC(ZSTD(1)),
  read_point     LowCardinality(String),
  slot           UInt32 CODEC(Delta(4), ZSTD(1)) COMMENT '30 s since the epoch',
  lane           String CODEC(ZSTD(1)),
  origin         String CODEC(ZSTD(1)),
  path           Array(String) CODEC(ZSTD(1)),
  version        Array(UInt64) CODEC(ZSTD(1)),
  reader         LowCardinality(String),
  policy         UInt32 CODEC(ZSTD(1)),
  mapping        UInt64 CODEC(ZSTD(1)),
  location       LowCardinality(String),
  first_at       DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
  last_at        DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
  reads          UInt32 CODEC(ZSTD(1)),
  state          Enum8('glimpsed' = 0, 'observed' = 1, 'cross_read' = 2),
  direction      Enum8('unknown' = 0, 'inward' = 1, 'outward' = 2),
  marks          UInt8 COMMENT '1 final, 2 continues before, 4 continues after, 8 retracted, 16 late',
  final          Bool ALIAS bitTest(marks, 0),
  retracted      Bool ALIAS bitTest(marks, 3),
  evidence       Enum8('confirmed' = 0, 'inferred' = 1, 'declared' = 2, 'probabilistic' = 3),
  recorded_at    DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
  event          String CODEC(ZSTD(1)),
  biz_step       LowCardinality(String),
  disposition    LowCardinality(String),
  document       String CODEC(ZSTD(1)),
  line           String CODEC(ZSTD(1)),
  party          LowCardinality(String),
  runs           Array(Array(Int64)) CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(Delta(8), ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(Delta(8), ZSTD(1))
) ENGINE = ${Replacing}(first)
PARTITION BY toYYYYMM(toDateTime(slot * 30, 'UTC'))
ORDER BY (tag, read_point, slot, lane, origin, path, version)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 1000;

-- The same of units of a lot, contiguous by lot: what a recall reads (small granules, small blocks, few parts).
CREATE TABLE IF NOT EXISTS ${database}.lot_sightings ${on_cluster} (
  lot            LowCardinality(String),
  lot_key        UInt64 DEFAULT sipHash64(lot),
  tag            String CODEC(ZSTD(1)),
  read_point     LowCardinality(String),
  slot           UInt32 CODEC(Delta(4), ZSTD(1)),
  lane           String CODEC(ZSTD(1)),
  origin         String CODEC(ZSTD(1)),
  path           Array(String) CODEC(ZSTD(1)),
  version        Array(UInt64) CODEC(ZSTD(1)),
  binding        UInt64 CODEC(ZSTD(1)) COMMENT 'identity.v1 offset of the lot binding',
  relabelled     Int64 CODEC(ZSTD(1)) COMMENT '-1, or the binding version that moved it to another lot',
  reader         LowCardinality(String),
  policy         UInt32 CODEC(ZSTD(1)),
  mapping        UInt64 CODEC(ZSTD(1)),
  location       LowCardinality(String),
  first_at       DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
  last_at        DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
  reads          UInt32 CODEC(ZSTD(1)),
  state          Enum8('glimpsed' = 0, 'observed' = 1, 'cross_read' = 2),
  direction      Enum8('unknown' = 0, 'inward' = 1, 'outward' = 2),
  marks          UInt8,
  final          Bool ALIAS bitTest(marks, 0),
  retracted      Bool ALIAS bitTest(marks, 3),
  evidence       Enum8('confirmed' = 0, 'inferred' = 1, 'declared' = 2, 'probabilistic' = 3),
  recorded_at    DateTime64(6, 'UTC') CODEC(Delta(8), ZSTD(1)),
  event          String CODEC(ZSTD(1)),
  biz_step       LowCardinality(String),
  disposition    LowCardinality(String),
  document       String CODEC(ZSTD(1)),
  line           String CODEC(ZSTD(1)),
  party          LowCardinality(String),
  source_partition UInt16,
  source_offset  UInt64 CODEC(Delta(8), ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(Delta(8), ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (lot_key, tag, read_point, slot, lane, origin, path, version, binding, relabelled)
SETTINGS index_granularity = 256, min_compress_block_size = 8192, max_compress_block_size = 16384,
         non_replicated_deduplication_window = 1000;
