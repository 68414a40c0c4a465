-- Which events touched units of which lots: from a lot a trace comes to processes that name units only, without reading
-- its sightings. Fed also by rows that were taken back; whether a process holds, its sides say.
CREATE TABLE IF NOT EXISTS ${database}.lot_events ${on_cluster} (
  lot_key        UInt64 COMMENT 'sipHash64(lot)',
  lot            String CODEC(ZSTD(1)) COMMENT 'lot key: 01/GTIN/10/LOT',
  event          String CODEC(ZSTD(1)) COMMENT 'hash of an event that named a unit of it, or what held one'
) ENGINE = ${Replacing}
ORDER BY (lot_key, lot, event)
SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.lot_events_of_sightings ${on_cluster} TO ${database}.lot_events AS
SELECT DISTINCT lot_key, toString(lot) AS lot, event
FROM ${database}.lot_sightings
WHERE event != '';

INSERT INTO ${database}.lot_events
SELECT DISTINCT lot_key, toString(lot) AS lot, event
FROM ${database}.lot_sightings
WHERE event != '';

-- Processes that tell no place are few and lie anywhere among those that name units.
ALTER TABLE ${database}.transformations ${on_cluster}
  ADD INDEX IF NOT EXISTS by_location location TYPE set(16) GRANULARITY 1;

-- Times of reads are whole milliseconds, and rows lie by unit, not by time: a common divisor packs them, differences do not.
ALTER TABLE ${database}.lot_sightings ${on_cluster}
  MODIFY COLUMN IF EXISTS first_at CODEC(GCD, ZSTD(1)),
  MODIFY COLUMN IF EXISTS last_at CODEC(GCD, ZSTD(1)),
  MODIFY COLUMN IF EXISTS recorded_at CODEC(GCD, ZSTD(1));

ALTER TABLE ${database}.sightings ${on_cluster}
  MODIFY COLUMN IF EXISTS first_at CODEC(GCD, ZSTD(1)),
  MODIFY COLUMN IF EXISTS last_at CODEC(GCD, ZSTD(1)),
  MODIFY COLUMN IF EXISTS recorded_at CODEC(GCD, ZSTD(1));

ALTER TABLE ${database}.quantities ${on_cluster}
  MODIFY COLUMN IF EXISTS at CODEC(GCD, Delta(8), ZSTD(1)),
  MODIFY COLUMN IF EXISTS recorded_at CODEC(GCD, Delta(8), ZSTD(1));
