-- What people and their programs sent to POST /decisions, each as it was sent but for its names, which are keys: to be
-- sent again where the topics are lost, and for who asks who sent what.
CREATE TABLE IF NOT EXISTS ${database}.decisions ${on_cluster} (
  kind           LowCardinality(String) COMMENT 'lot_claim, lot_change, hold, document',
  subject        String CODEC(ZSTD(1)) COMMENT 'what decides the partition: the GTIN, or the document',
  name           String CODEC(ZSTD(1)) COMMENT 'of a claim or a hold, else the hash of what was sent',
  text           String CODEC(ZSTD(3)) COMMENT 'JSON, as POST /decisions takes it',
  source         LowCardinality(String) COMMENT 'who sent it, by its token where tokens are needed',
  recorded_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (subject, kind, name, recorded_at, cityHash64(text))
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;
