-- What people did about dead letters and about records at which a process stopped: the audit of `lotstream dlq`.
CREATE TABLE IF NOT EXISTS ${database}.operations ${on_cluster} (
  action         LowCardinality(String) COMMENT 'replay, drop, park',
  subject        String CODEC(ZSTD(1)) COMMENT 'topic:partition:offset of the letter; of a park, of the record',
  digest         String CODEC(ZSTD(1)) COMMENT 'of the letter, equal for each of its copies',
  by             LowCardinality(String),
  why            String CODEC(ZSTD(1)),
  result         String CODEC(ZSTD(1)),
  at             DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (subject, at, action, source_partition, source_offset)
SETTINGS non_replicated_deduplication_window = 1000;
