-- Views: the present as a function of the facts. A filter on lot_key reaches the tables' primary key through each of
-- them: highest versions are taken by LIMIT 1 BY in the order of the key, which the server pushes filters through.

-- Each fact of a lot at its highest version; of rows equal in version and binding a retracted one holds. An error
-- declaration's version is above all others (epoch 2^31), so that it wins also when it came first; what an early
-- packing list denied and a later one confirms comes back.
CREATE VIEW IF NOT EXISTS ${database}.lot_versions ${on_cluster} AS
SELECT lot_key, lot, tag, read_point, slot, lane, origin, path, version, binding, reader, policy, location, first_at,
       last_at, reads, state, direction, marks, evidence, recorded_at, event, biz_step, disposition, document, line,
       party, bitTest(marks, 0) AS final, bitTest(marks, 3) AS retracted
FROM ${database}.lot_sightings
ORDER BY lot_key, tag, read_point, slot, lane, origin, path,
         version DESC, binding DESC, relabelled DESC, bitTest(marks, 3) DESC
LIMIT 1 BY lot_key, lot, tag, read_point, slot, lane, origin, path;

-- `places`: the fact says where the unit was, as locate decides: observed, not retracted, and not of a late lane where
-- the slot and read point have a main one.
CREATE VIEW IF NOT EXISTS ${database}.lot_facts ${on_cluster} AS
SELECT *, state = 'observed' AND NOT retracted
          AND NOT (startsWith(lane, 'late:')
                   AND max(lane = '' AND NOT retracted) OVER (PARTITION BY lot_key, lot, tag, slot, read_point)) AS places
FROM ${database}.lot_versions;

-- One entry per unit, slot and read point: the strongest evidence, then the newest read.
CREATE VIEW IF NOT EXISTS ${database}.unit_entries ${on_cluster} AS
SELECT lot_key, lot, tag, slot, read_point, location, disposition, evidence, first_at, last_at, direction, lane, origin,
       path, final
FROM ${database}.lot_facts
WHERE places
ORDER BY evidence, last_at DESC, lane DESC, origin DESC, path DESC
LIMIT 1 BY lot_key, lot, tag, slot, read_point;

-- Where every unit of a lot is: of its newest slot the strongest evidence, then the newest read.
CREATE VIEW IF NOT EXISTS ${database}.unit_places ${on_cluster} AS
SELECT lot_key, lot, tag, location, disposition, evidence, last_at, read_point, path, final
FROM ${database}.lot_facts
WHERE places
ORDER BY slot DESC, evidence, last_at DESC, read_point DESC, lane DESC, origin DESC, path DESC
LIMIT 1 BY lot_key, lot, tag;

-- Movements derived from the entries: where from is the location before.
CREATE VIEW IF NOT EXISTS ${database}.movements ${on_cluster} AS
SELECT lot_key, lot, tag, moved_from AS source, location, disposition, first_at AS at, read_point, direction, evidence
FROM (
  SELECT *, lagInFrame(location, 1, '') OVER (
              PARTITION BY lot_key, tag ORDER BY slot, evidence DESC, last_at, read_point
              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS moved_from
  FROM ${database}.unit_entries
)
WHERE location != moved_from;

-- Quantity facts, each at its highest revision; a retracted one counts nothing, also when its retraction came first.
CREATE VIEW IF NOT EXISTS ${database}.lot_quantities ${on_cluster} AS
SELECT lot_key, lot, identity, source, source_disposition, location, disposition, amount, uom, cases, biz_step, evidence,
       document, line, party, at
FROM (
  SELECT lot_key, lot, identity, source, source_disposition, location, disposition, amount, uom, cases, biz_step,
         evidence, document, line, party, at, retracted
  FROM ${database}.quantities
  ORDER BY lot_key, identity, retracted DESC, revision DESC, recorded_at DESC, event DESC
  LIMIT 1 BY lot_key, lot, identity
)
WHERE NOT retracted;

-- Class-level goods by place: what arrived there less what left, where that is not nothing.
CREATE VIEW IF NOT EXISTS ${database}.quantity_places ${on_cluster} AS
SELECT lot_key, lot, place, state AS disposition, uom, sum(change) AS amount, sum(labels) AS cases
FROM (
  SELECT lot_key, lot, toString(location) AS place, toString(disposition) AS state, uom, amount AS change,
         toInt64(cases) AS labels
  FROM ${database}.lot_quantities
  UNION ALL
  SELECT lot_key, lot, toString(source) AS place, toString(source_disposition) AS state, uom, -amount AS change,
         -toInt64(cases) AS labels
  FROM ${database}.lot_quantities
)
WHERE place != ''
GROUP BY lot_key, lot, place, state, uom
HAVING amount != 0 OR cases != 0;

-- What is known of each lot: the valid statements of all its events together. The newest word of each kind, counts
-- summed, amounts summed of the unit of measure named first, the gravest status.
CREATE VIEW IF NOT EXISTS ${database}.lot_master ${on_cluster} AS
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
       ['active', 'held', 'recalled'][max(indexOf(['active', 'held', 'recalled'], s.status))] AS status
FROM (
  SELECT lot_key, lot, gtin, code, supplier_code, description, location, produced_at, expires, best_before, units,
         amount, toString(uom) AS uom, toString(status) AS status, (at, event) AS rank
  FROM (
    SELECT * FROM ${database}.lots
    ORDER BY lot_key, event, retracted DESC, recorded_at DESC
    LIMIT 1 BY lot_key, lot, event
  )
  WHERE NOT retracted
) AS s
GROUP BY lot_key, lot;
