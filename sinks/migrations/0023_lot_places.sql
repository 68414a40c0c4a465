-- Which lots were where on which days: from a place a question comes to the lots that were there meanwhile, without
-- reading the sightings of all. Fed also by rows that were taken back; whether a lot was there, its facts say.
CREATE TABLE IF NOT EXISTS ${database}.lot_places ${on_cluster} (
  location       LowCardinality(String) COMMENT 'where goods of it were, or came to',
  lot_key        UInt64 COMMENT 'sipHash64(lot)',
  day            Date CODEC(Delta(2), ZSTD(1)) COMMENT 'the day (UTC) that a fact of it there is of'
) ENGINE = ${Replacing}
ORDER BY (location, lot_key, day)
SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.lot_places_of_sightings ${on_cluster} TO ${database}.lot_places AS
SELECT DISTINCT location, lot_key, toDate(first_at) AS day
FROM ${database}.lot_sightings
WHERE state = 'observed' AND location != '';

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.lot_places_of_quantities ${on_cluster} TO ${database}.lot_places AS
SELECT DISTINCT location, lot_key, toDate(at) AS day
FROM ${database}.quantities
WHERE location != '';

INSERT INTO ${database}.lot_places
SELECT DISTINCT location, lot_key, toDate(first_at) AS day
FROM ${database}.lot_sightings
WHERE state = 'observed' AND location != '';

INSERT INTO ${database}.lot_places
SELECT DISTINCT location, lot_key, toDate(at) AS day
FROM ${database}.quantities
WHERE location != '';
