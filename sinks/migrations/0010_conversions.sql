-- Conversions between units of measure of a product, from an instant on: master data, by which amounts of two units may
-- be compared. The newest one that was in force when something happened holds for it.
CREATE TABLE IF NOT EXISTS ${database}.conversions ${on_cluster} (
  gtin           String,
  uom            LowCardinality(String) COMMENT 'one of this',
  factor         Decimal(18, 6) COMMENT 'is so many',
  to_uom         LowCardinality(String) COMMENT 'of this',
  event          String COMMENT 'hash of the event that says so',
  at             DateTime64(6, 'UTC') COMMENT 'from when on',
  error          Bool COMMENT 'an error declaration took it back',
  recorded_at    DateTime64(6, 'UTC'),
  source_partition UInt16,
  source_offset  UInt64,
  first          UInt64 DEFAULT 18446744073709551615 - source_offset
) ENGINE = ${Replacing}(first)
ORDER BY (gtin, uom, to_uom, at, event, error)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;
