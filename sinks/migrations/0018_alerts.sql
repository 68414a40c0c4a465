-- Alerts of held, recalled or expired goods that were seen: every version of each, and those that stand.
CREATE TABLE IF NOT EXISTS ${database}.alerts ${on_cluster} (
  lot_key        UInt64 DEFAULT sipHash64(lot) COMMENT 'everything of a lot lies together',
  lot            String CODEC(ZSTD(1)) COMMENT 'lot key',
  alert          String CODEC(ZSTD(1)) COMMENT 'key of the alert: of lot, hold, tag, read point and slot',
  version        UInt32 COMMENT 'of one alert the highest holds',
  state          LowCardinality(String) COMMENT 'raised, moved, confirmed, cleared',
  ending         LowCardinality(String) COMMENT 'why it was cleared: released, glimpsed, inside, joined, withdrawn',
  cause          LowCardinality(String) COMMENT 'held, recalled, expired',
  hold           String CODEC(ZSTD(1)) COMMENT 'name of the hold within its lot; empty: expired',
  reason         String CODEC(ZSTD(1)) COMMENT 'of the hold',
  tag            String CODEC(ZSTD(1)) COMMENT 'the top-level tag: the pallet, or the item itself',
  read_point     LowCardinality(String) COMMENT 'where it was seen',
  slot           UInt64 CODEC(ZSTD(1)) COMMENT 'first slot of 30 s of the visit, as known when it was raised',
  location       String CODEC(ZSTD(1)) COMMENT 'where the goods are by that',
  disposition    LowCardinality(String) COMMENT 'CBV word, where an event said so',
  party          String CODEC(ZSTD(1)) COMMENT 'who receives or has them, where an event said so',
  evidence       LowCardinality(String) COMMENT 'confirmed, inferred, declared, probabilistic',
  units          UInt64 COMMENT 'how many units of the lot it is about',
  inside         Array(String) CODEC(ZSTD(1)) COMMENT 'the first 200 of them, sorted',
  first_at       DateTime64(6, 'UTC') CODEC(ZSTD(1)) COMMENT 'first seen during the visit, as known by this version',
  last_at        DateTime64(6, 'UTC') CODEC(ZSTD(1)) COMMENT 'last seen during the visit, as known by this version',
  recorded_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)) COMMENT 'receive stamp of the newest input it rests on',
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (lot_key, alert, version)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

CREATE VIEW IF NOT EXISTS ${database}.open_alerts ${on_cluster} (
  lot_key        UInt64 COMMENT 'sipHash64(lot): filter by it',
  lot            String COMMENT 'lot key',
  alert          String COMMENT 'key of the alert',
  version        UInt32 COMMENT 'rises with every change',
  state          String COMMENT 'raised: provisional; confirmed',
  cause          String COMMENT 'held, recalled, expired',
  hold           String COMMENT 'name of the hold within its lot; empty: expired',
  reason         String COMMENT 'of the hold',
  tag            String COMMENT 'the top-level tag: the pallet, or the item itself',
  read_point     String COMMENT 'where it was seen',
  location       String COMMENT 'where the goods are by that',
  disposition    String COMMENT 'CBV word, where an event said so',
  party          String COMMENT 'who receives or has them, where an event said so',
  evidence       String COMMENT 'how it is known: confirmed, inferred, declared, probabilistic',
  units          UInt64 COMMENT 'how many units of the lot it is about',
  inside         Array(String) COMMENT 'the first 200 of them, sorted',
  first_at       DateTime64(6, 'UTC') COMMENT 'first seen during the visit',
  last_at        DateTime64(6, 'UTC') COMMENT 'last seen, when it was told last',
  recorded_at    DateTime64(6, 'UTC') COMMENT 'receive stamp of the newest input it rests on'
) AS
SELECT lot_key, lot, alert, version, toString(state) AS state, toString(cause) AS cause, hold, reason, tag,
       toString(read_point) AS read_point, location, toString(disposition) AS disposition, party,
       toString(evidence) AS evidence, units, inside, first_at, last_at, recorded_at
FROM (
  SELECT * FROM ${database}.alerts ORDER BY version DESC, first DESC LIMIT 1 BY lot_key, alert
)
WHERE state IN ('raised', 'confirmed');
