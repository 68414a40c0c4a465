-- By which names a lot is asked for, its code and the supplier's, and what there is of it. Fed by whatever names a lot,
-- so that a lot of which only scans or sightings are known is found too; Replacing keeps it right under replay.
CREATE TABLE IF NOT EXISTS ${database}.lot_names ${on_cluster} (
  name           String CODEC(ZSTD(1)),
  lot            String CODEC(ZSTD(1)),
  lot_key        UInt64 DEFAULT sipHash64(lot),
  kind           Enum8('statement' = 0, 'units' = 1, 'quantities' = 2)
) ENGINE = ${Replacing}
ORDER BY (name, lot, kind)
SETTINGS index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.lot_names_of_lots ${on_cluster} TO ${database}.lot_names AS
SELECT DISTINCT arrayJoin([code, supplier_code]) AS name, lot, lot_key, 'statement' AS kind
FROM ${database}.lots
WHERE name != '';

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.lot_names_of_quantities ${on_cluster} TO ${database}.lot_names AS
SELECT DISTINCT decodeURLComponent(substring(lot, 22)) AS name, lot, lot_key, 'quantities' AS kind
FROM ${database}.quantities
WHERE substring(lot, 18, 4) = '/10/';

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.lot_names_of_sightings ${on_cluster} TO ${database}.lot_names AS
SELECT DISTINCT decodeURLComponent(substring(toString(lot), 22)) AS name, toString(lot) AS lot, lot_key,
                'units' AS kind
FROM ${database}.lot_sightings;
