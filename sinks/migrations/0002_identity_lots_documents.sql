-- Bindings, lots, document lines and quantities: facts, each with the offset that versions it.
CREATE TABLE IF NOT EXISTS ${database}.bindings ${on_cluster} (
  relation       Enum8('lot' = 0, 'parent' = 1, 'content' = 2),
  subject        String CODEC(ZSTD(1)),
  first_serial   Int64 CODEC(ZSTD(1)) COMMENT '-1: one unit, not a range',
  last_serial    Int64 CODEC(ZSTD(1)),
  object         String CODEC(ZSTD(1)),
  action         Enum8('ADD' = 0, 'DELETE' = 1),
  at             DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  event          String CODEC(ZSTD(1)),
  retracted      Bool,
  recorded_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1)),
  INDEX by_object object TYPE bloom_filter(0.01) GRANULARITY 4
) ENGINE = ${Replacing}(first)
ORDER BY (subject, relation, object, first_serial, last_serial, action, at, event, retracted)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS ${database}.lots ${on_cluster} (
  lot            String CODEC(ZSTD(1)),
  lot_key        UInt64 DEFAULT sipHash64(lot),
  gtin           LowCardinality(String),
  code           String CODEC(ZSTD(1)),
  supplier_code  String CODEC(ZSTD(1)),
  event          String CODEC(ZSTD(1)),
  at             DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  description    String CODEC(ZSTD(1)),
  location       LowCardinality(String),
  produced_at    Nullable(DateTime64(6, 'UTC')),
  expires        Nullable(Date32),
  best_before    Nullable(Date32),
  units          Nullable(UInt64),
  amount         Nullable(Decimal(18, 6)),
  uom            LowCardinality(String),
  status         LowCardinality(String),
  retracted      Bool,
  recorded_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (lot_key, event, retracted, recorded_at)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS ${database}.document_lines ${on_cluster} (
  document       String CODEC(ZSTD(1)) COMMENT 'type:number',
  line           String CODEC(ZSTD(1)),
  event          String CODEC(ZSTD(1)),
  biz_step       LowCardinality(String),
  at             DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  lot            String CODEC(ZSTD(1)),
  lot_key        UInt64 DEFAULT sipHash64(lot),
  units          Array(String) CODEC(ZSTD(1)),
  amount         Nullable(Decimal(18, 6)),
  uom            LowCardinality(String),
  from_party     LowCardinality(String),
  to_party       LowCardinality(String),
  from_location  LowCardinality(String),
  to_location    LowCardinality(String),
  retracted      Bool,
  recorded_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (document, line, event, lot, uom, retracted)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

-- Stock is a sum over the facts, each (lot, identity) at its highest revision; a retraction wins for ever.
CREATE TABLE IF NOT EXISTS ${database}.quantities ${on_cluster} (
  lot            String CODEC(ZSTD(1)),
  lot_key        UInt64 DEFAULT sipHash64(lot),
  identity       String CODEC(ZSTD(1)),
  revision       UInt64 CODEC(ZSTD(1)),
  source         LowCardinality(String),
  source_disposition LowCardinality(String),
  location       LowCardinality(String),
  disposition    LowCardinality(String),
  amount         Decimal(18, 6),
  uom            LowCardinality(String),
  cases          UInt32,
  biz_step       LowCardinality(String),
  evidence       Enum8('confirmed' = 0, 'inferred' = 1, 'declared' = 2, 'probabilistic' = 3),
  document       String CODEC(ZSTD(1)),
  line           String CODEC(ZSTD(1)),
  party          LowCardinality(String),
  read_point     LowCardinality(String),
  event          String CODEC(ZSTD(1)),
  at             DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  retracted      Bool,
  recorded_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (lot_key, identity, revision, recorded_at, event, retracted)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;
