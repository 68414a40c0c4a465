-- What people say of lots: master data with who and why, holds with their scope, and the answers to claims.
ALTER TABLE ${database}.lots ${on_cluster}
  ADD COLUMN IF NOT EXISTS site LowCardinality(String) COMMENT 'where it was made, as a person said',
  ADD COLUMN IF NOT EXISTS line LowCardinality(String) COMMENT 'production line',
  ADD COLUMN IF NOT EXISTS planned Nullable(Decimal(18, 6)) COMMENT 'how much was to be made',
  ADD COLUMN IF NOT EXISTS planned_uom LowCardinality(String),
  ADD COLUMN IF NOT EXISTS by LowCardinality(String) COMMENT 'who said it, where a person did',
  ADD COLUMN IF NOT EXISTS reason String CODEC(ZSTD(1));

CREATE TABLE IF NOT EXISTS ${database}.holds ${on_cluster} (
  lot            String CODEC(ZSTD(1)),
  lot_key        UInt64 DEFAULT sipHash64(lot),
  hold           String CODEC(ZSTD(1)) COMMENT 'name of the hold, unique within the lot',
  action         Enum8('place' = 0, 'release' = 1) COMMENT 'a release ends the hold for ever, also when it came first',
  purpose        Enum8('quarantine' = 0, 'recall' = 1),
  first_serials  Array(UInt64) COMMENT 'scope: serial ranges first..last; no scope at all: the whole lot',
  last_serials   Array(UInt64),
  units          Array(String) CODEC(ZSTD(1)) COMMENT 'scope: items, or logistic units with what is in them',
  amount         Nullable(Decimal(18, 6)) COMMENT 'scope: so much of it',
  uom            LowCardinality(String),
  site           LowCardinality(String) COMMENT 'scope: what is at this site or location',
  by             LowCardinality(String) COMMENT 'who decided',
  reason         String CODEC(ZSTD(1)),
  at             DateTime64(6, 'UTC') CODEC(ZSTD(1)) COMMENT 'when it was decided; the newest version holds',
  decision       String CODEC(ZSTD(1)) COMMENT 'hash of what was decided',
  recorded_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (lot_key, lot, hold, action, at, recorded_at, decision)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

CREATE TABLE IF NOT EXISTS ${database}.lot_numbers ${on_cluster} (
  gtin           LowCardinality(String),
  claim          String CODEC(ZSTD(1)) COMMENT 'chosen by who claims, unique within the GTIN',
  lot            String CODEC(ZSTD(1)) COMMENT 'empty: the claim was refused',
  detail         String CODEC(ZSTD(1)) COMMENT 'why it was refused',
  by             LowCardinality(String),
  recorded_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (gtin, claim, lot, recorded_at)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.lot_names_of_holds ${on_cluster} TO ${database}.lot_names AS
SELECT DISTINCT decodeURLComponent(substring(lot, 22)) AS name, lot, lot_key, 'statement' AS kind
FROM ${database}.holds;

-- Holds in force: placed, as it was said last, and not released.
CREATE VIEW IF NOT EXISTS ${database}.lot_holds ${on_cluster} AS
SELECT lot_key, lot, hold, said.1 AS purpose, said.2 AS first_serials, said.3 AS last_serials, said.4 AS units,
       said.5 AS amount, said.6 AS uom, said.7 AS site, said.8 AS by, said.9 AS reason, newest AS at
FROM (
  SELECT lot_key, lot, hold,
         argMaxIf((toString(purpose), first_serials, last_serials, units, amount, toString(uom), toString(site),
                   toString(by), reason), (h.at, recorded_at, decision), action = 'place') AS said,
         maxIf(h.at, action = 'place') AS newest
  FROM ${database}.holds AS h
  GROUP BY lot_key, lot, hold
  HAVING countIf(action = 'place') > 0 AND countIf(action = 'release') = 0
);

-- What is known of each lot, as before, with the status that holds in force give it. Whether it expired, its date tells.
CREATE OR REPLACE VIEW ${database}.lot_master ${on_cluster} AS
SELECT lot_key, lot, any(s.gtin) AS gtin, any(s.code) AS code,
       argMaxIf(s.supplier_code, rank, s.supplier_code != '') AS supplier_code,
       argMaxIf(s.description, rank, s.description != '') AS description,
       argMaxIf(s.location, rank, s.location != '') AS location,
       argMaxIf(s.produced_at, rank, isNotNull(s.produced_at)) AS produced_at,
       argMaxIf(s.expires, rank, isNotNull(s.expires)) AS expires,
       argMaxIf(s.best_before, rank, isNotNull(s.best_before)) AS best_before,
       sum(s.units) AS units, sumMapIf(map(s.uom, assumeNotNull(s.amount)), isNotNull(s.amount)) AS amounts,
       argMinIf(s.uom, rank, isNotNull(s.amount)) AS uom,
       if(mapContains(amounts, uom), amounts[uom], NULL) AS amount,
       ['active', 'held', 'recalled'][max(indexOf(['active', 'held', 'recalled'], s.status))] AS status,
       argMaxIf(s.site, rank, s.site != '') AS site,
       argMaxIf(s.line, rank, s.line != '') AS line,
       argMaxIf(s.planned, rank, isNotNull(s.planned)) AS planned,
       argMaxIf(s.planned_uom, rank, s.planned_uom != '') AS planned_uom
FROM (
  SELECT lot_key, lot, gtin, code, supplier_code, description, location, produced_at, expires, best_before, units,
         amount, toString(uom) AS uom, toString(status) AS status, toString(site) AS site, toString(line) AS line,
         planned, toString(planned_uom) AS planned_uom, (at, event) AS rank
  FROM (
    SELECT lot_key, lot, gtin, code, supplier_code, event, at, description, location, produced_at, expires, best_before,
           units, amount, uom, status, site, line, planned, planned_uom, retracted
    FROM ${database}.lots
    ORDER BY lot_key, event, retracted DESC, recorded_at DESC
    LIMIT 1 BY lot_key, lot, event
  )
  WHERE NOT retracted
  UNION ALL
  SELECT lot_key, lot, substring(lot, 4, 14) AS gtin, decodeURLComponent(substring(lot, 22)) AS code,
         '' AS supplier_code, '' AS description, '' AS location, NULL AS produced_at, NULL AS expires,
         NULL AS best_before, NULL AS units, NULL AS amount, '' AS uom,
         if(purpose = 'recall', 'recalled', 'held') AS status, '' AS site, '' AS line, NULL AS planned,
         '' AS planned_uom, (at, '') AS rank
  FROM ${database}.lot_holds
) AS s
GROUP BY lot_key, lot;
