-- What was made out of what: the sides of transformations. Sides of one process belong together; every input is in
-- every output. A retracted side counts nothing, also when its retraction came first.
CREATE TABLE IF NOT EXISTS ${database}.transformations ${on_cluster} (
  process        String CODEC(ZSTD(1)) COMMENT 'transformation id; without one, the hash of the event',
  event          String CODEC(ZSTD(1)),
  side           Enum8('input' = 0, 'output' = 1),
  lot            String CODEC(ZSTD(1)) COMMENT 'empty: of the units named',
  lot_key        UInt64 DEFAULT sipHash64(lot),
  units          Array(String) CODEC(ZSTD(1)) COMMENT 'units whose lot the event did not say; their bindings do',
  part           UInt32 COMMENT 'numbers the rows that share one long list of units',
  items          UInt64 COMMENT 'serialised units, named here or bound to the lot by the event',
  amount         Nullable(Decimal(18, 6)) COMMENT 'class-level goods; NULL: not said',
  uom            LowCardinality(String) COMMENT 'UN/CEFACT Rec 20; empty: serialised units',
  location       LowCardinality(String),
  biz_step       LowCardinality(String),
  document       String CODEC(ZSTD(1)) COMMENT 'type:number',
  at             DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  retracted      Bool,
  recorded_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1)),
  INDEX by_process process TYPE bloom_filter(0.01) GRANULARITY 4,
  INDEX by_unit units TYPE bloom_filter(0.01) GRANULARITY 4
) ENGINE = ${Replacing}(first)
ORDER BY (lot_key, lot, event, side, uom, part, retracted)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

-- The sides that hold: each once, those of a retracted event left out.
CREATE VIEW IF NOT EXISTS ${database}.transformation_sides ${on_cluster} AS
SELECT lot_key, lot, process, event, side, units, part, items, amount, uom, location, biz_step, document, at
FROM (
  SELECT * FROM ${database}.transformations
  ORDER BY lot_key, lot, event, side, uom, part, retracted DESC
  LIMIT 1 BY lot_key, lot, event, side, uom, part
)
WHERE NOT retracted;
