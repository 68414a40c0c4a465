-- Lots that only a transformation names are found by their names too.
CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.lot_names_of_transformations ${on_cluster} TO ${database}.lot_names AS
SELECT DISTINCT decodeURLComponent(substring(lot, 22)) AS name, lot, lot_key, 'statement' AS kind
FROM ${database}.transformations
WHERE substring(lot, 18, 4) = '/10/';

-- The sides of transformations once more, contiguous by process: from one side of it a trace comes to the other.
CREATE TABLE IF NOT EXISTS ${database}.process_sides ${on_cluster} (
  process        String CODEC(ZSTD(1)) COMMENT 'transformation id; without one, the hash of the event',
  event          String CODEC(ZSTD(1)),
  side           Enum8('input' = 0, 'output' = 1),
  lot            String CODEC(ZSTD(1)) COMMENT 'empty: of the units named',
  lot_key        UInt64,
  units          Array(String) CODEC(ZSTD(1)),
  part           UInt32,
  items          UInt64,
  amount         Nullable(Decimal(18, 6)),
  uom            LowCardinality(String),
  location       LowCardinality(String),
  biz_step       LowCardinality(String),
  document       String CODEC(ZSTD(1)),
  at             DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  retracted      Bool,
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 CODEC(ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (process, lot_key, lot, event, side, uom, part, retracted)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.process_sides_of_transformations ${on_cluster}
TO ${database}.process_sides AS
SELECT process, event, side, lot, lot_key, units, part, items, amount, uom, location, biz_step, document, at, retracted,
       source_partition, source_offset, first
FROM ${database}.transformations;
