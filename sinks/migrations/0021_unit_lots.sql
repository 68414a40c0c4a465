-- Whose units are which lot's, where one binding does not tell: of a lot that was corrected or ended, or of units that
-- were seen, and forgotten, before their lot was known. Of such units the item rows of a lot may have too little or too
-- much; their sightings have all, and these views make their rows of a lot from them when it is asked for.
CREATE TABLE IF NOT EXISTS ${database}.unit_lots ${on_cluster} (
  lot            String CODEC(ZSTD(1)) COMMENT 'the lot that was told: 01/GTIN/10/LOT',
  lot_key        UInt64 DEFAULT sipHash64(lot) COMMENT 'sipHash64(lot)',
  subject        String CODEC(ZSTD(1)) COMMENT 'key of a unit; of serials 01/GTIN',
  first_serial   Int64 CODEC(ZSTD(1)) COMMENT '-1: one unit, not a range',
  last_serial    Int64 CODEC(ZSTD(1)) COMMENT '-1: one unit, not a range',
  binding        UInt64 CODEC(ZSTD(1)) COMMENT 'identity.v1 offset by which this was so; of two the higher holds',
  horizon_us     Int64 CODEC(ZSTD(1)) COMMENT 'sightings up to then may have been forgotten; -1: none',
  lives          Array(Tuple(start_us Int64, end_us Int64, lot String)) CODEC(ZSTD(1))
                 COMMENT 'whose they are when, both ends included, the oldest first',
  source_partition UInt16 COMMENT 'partition of lot-sightings.v1',
  source_offset  UInt64 CODEC(ZSTD(1)) COMMENT 'offset in it',
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1)) COMMENT 'the first copy stays'
) ENGINE = ${Replacing}(first)
ORDER BY (lot_key, lot, subject, first_serial, last_serial, binding, horizon_us)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

-- Who asks for a lot learns with its name whether there are such units. Units that only ended are in their item rows.
ALTER TABLE ${database}.lot_names ${on_cluster}
  MODIFY COLUMN IF EXISTS kind Enum8('statement' = 0, 'units' = 1, 'quantities' = 2, 'told' = 3);

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.lot_names_of_unit_lots ${on_cluster} TO ${database}.lot_names AS
SELECT DISTINCT decodeURLComponent(substring(lot, 22)) AS name, lot, lot_key, 'told' AS kind
FROM ${database}.unit_lots
WHERE horizon_us >= 0 OR arrayMap(life -> life.3, lives) != [lot];

-- The units that these lots were told of, each by the highest binding.
CREATE VIEW IF NOT EXISTS ${database}.units_told ${on_cluster} AS
SELECT lot_key, lot, tag, max((binding, horizon_us, lives)) AS told
FROM (
  SELECT lot_key, lot, binding, horizon_us, lives,
         arrayJoin(if(first_serial < 0, [subject],
                      arrayMap(serial -> concat(subject, '/21/', toString(serial)),
                               range(first_serial, last_serial + 1)))) AS tag
  FROM ${database}.unit_lots
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
)
GROUP BY lot_key, lot, tag;

-- Their sightings at the highest version, of the lot that they are of when they were last read: as item rows.
CREATE VIEW IF NOT EXISTS ${database}.sightings_told ${on_cluster} AS
SELECT toLowCardinality(whose.lot) AS lot, whose.lot_key AS lot_key, seen.tag AS tag, read_point, slot, lane, origin,
       path, version, whose.told.1 AS binding, toInt64(-1) AS relabelled, reader, policy, mapping, location, first_at,
       last_at, reads, state, direction, marks, evidence, recorded_at, event, biz_step, disposition, document, line,
       party, source_partition, source_offset
FROM (
  SELECT * FROM ${database}.sightings
  WHERE tag IN (SELECT tag FROM ${database}.units_told(lots = {lots:Array(String)}))
  ORDER BY tag, read_point, slot, lane, origin, path, version DESC, bitTest(marks, 3) DESC
  LIMIT 1 BY tag, read_point, slot, lane, origin, path
) AS seen
INNER JOIN ${database}.units_told(lots = {lots:Array(String)}) AS whose ON whose.tag = seen.tag
WHERE arrayLast(life -> life.1 <= toUnixTimestamp64Micro(last_at), whose.told.3).3 = whose.lot
  AND arrayLast(life -> life.1 <= toUnixTimestamp64Micro(last_at), whose.told.3).2 >= toUnixTimestamp64Micro(last_at);

-- Those of them that are no item rows of the lot.
CREATE VIEW IF NOT EXISTS ${database}.sightings_missed ${on_cluster} AS
SELECT lot, tag, first_at
FROM ${database}.sightings_told(lots = {lots:Array(String)})
WHERE NOT bitTest(marks, 3) AND (lot_key, tag, read_point, slot, lane, origin, path) NOT IN (
  SELECT lot_key, tag, read_point, slot, lane, origin, path FROM ${database}.lot_versions
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND NOT retracted);

-- All item rows, those of these units made anew; and the views over them.
CREATE VIEW IF NOT EXISTS ${database}.lot_sightings_told ${on_cluster} AS
SELECT lot, lot_key, tag, read_point, slot, lane, origin, path, version, binding, relabelled, reader, policy, mapping,
       location, first_at, last_at, reads, state, direction, marks, evidence, recorded_at, event, biz_step, disposition,
       document, line, party, source_partition, source_offset
FROM ${database}.lot_sightings
WHERE (lot_key, tag) NOT IN (SELECT lot_key, tag FROM ${database}.units_told(lots = {lots:Array(String)}))
UNION ALL
SELECT * FROM ${database}.sightings_told(lots = {lots:Array(String)});

CREATE VIEW IF NOT EXISTS ${database}.lot_events_told ${on_cluster} AS
SELECT lot_key, lot, event FROM ${database}.lot_events
UNION ALL
SELECT lot_key, toString(lot) AS lot, event FROM ${database}.sightings_told(lots = {lots:Array(String)}) WHERE event != '';

CREATE VIEW IF NOT EXISTS ${database}.lot_versions_told ${on_cluster} AS
SELECT lot_key, lot, tag, read_point, slot, lane, origin, path, version, binding, reader, policy, location, first_at,
       last_at, reads, state, direction, marks, evidence, recorded_at, event, biz_step, disposition, document, line,
       party, bitTest(marks, 0) AS final, bitTest(marks, 3) AS retracted
FROM ${database}.lot_sightings_told(lots = {lots:Array(String)})
ORDER BY lot_key, tag, read_point, slot, lane, origin, path,
         version DESC, binding DESC, relabelled DESC, bitTest(marks, 3) DESC
LIMIT 1 BY lot_key, lot, tag, read_point, slot, lane, origin, path;

CREATE VIEW IF NOT EXISTS ${database}.lot_facts_told ${on_cluster} AS
SELECT *, state = 'observed' AND NOT retracted
          AND NOT (startsWith(lane, 'late:')
                   AND max(lane = '' AND NOT retracted) OVER (PARTITION BY lot_key, lot, tag, slot, read_point)) AS places
FROM ${database}.lot_versions_told(lots = {lots:Array(String)})
WHERE first_at <= {as_of:DateTime64(6, 'UTC')};

CREATE VIEW IF NOT EXISTS ${database}.unit_places_told ${on_cluster} AS
SELECT lot_key, lot, tag, location, disposition, evidence, last_at, read_point, path, final
FROM ${database}.lot_facts_told(lots = {lots:Array(String)}, as_of = {as_of:DateTime64(6, 'UTC')})
WHERE places
ORDER BY slot DESC, evidence, last_at DESC, read_point DESC, lane DESC, origin DESC, path DESC
LIMIT 1 BY lot_key, lot, tag;
