-- Views: the present as a function of the facts. A filter on lot_key reaches the tables' primary key.

-- Each fact of a lot at its highest version. An error declaration (lane event:…) holds also when it came first.
CREATE VIEW IF NOT EXISTS ${database}.lot_facts ${on_cluster} AS
SELECT lot_key, lot, tag, read_point, slot, lane, origin, path,
       v.1 AS location, v.2 AS first_at, v.3 AS last_at, v.4 AS reads, v.5 AS state, v.6 AS direction, v.7 AS evidence,
       v.8 AS recorded_at, v.9 AS event, v.10 AS biz_step, v.11 AS disposition, v.12 AS document, v.13 AS line,
       v.14 AS party, v.15 AS reader, v.16 AS policy, v.17 AS binding, v.18 AS marks, v.19 AS version,
       bitTest(marks, 0) AS final, bitTest(marks, 3) OR (withdrawn AND startsWith(lane, 'event:')) AS retracted
FROM (
  SELECT lot_key, lot, tag, read_point, slot, lane, origin, path, max(bitTest(marks, 3)) AS withdrawn,
         argMax((location, first_at, last_at, reads, state, direction, evidence, recorded_at, event, biz_step,
                 disposition, document, line, party, reader, policy, binding, marks, version),
                (version, binding, relabelled)) AS v
  FROM ${database}.lot_sightings
  GROUP BY lot_key, lot, tag, read_point, slot, lane, origin, path
);

-- One entry per unit, slot and read point: the stronger evidence, then the main lane, then the newest read.
CREATE VIEW IF NOT EXISTS ${database}.unit_entries ${on_cluster} AS
SELECT lot_key, lot, tag, slot, read_point,
       e.1 AS location, e.2 AS disposition, e.3 AS evidence, e.4 AS first_at, e.5 AS last_at, e.6 AS direction,
       e.7 AS path, e.8 AS biz_step, e.9 AS document, e.10 AS line, e.11 AS party, e.12 AS recorded_at, e.13 AS reads
FROM (
  SELECT lot_key, lot, tag, slot, read_point,
         argMax((location, disposition, evidence, first_at, last_at, direction, path, biz_step, document, line, party,
                 recorded_at, reads), (-toInt8(evidence), lane = '', last_at)) AS e
  FROM ${database}.lot_facts
  WHERE NOT retracted AND state = 'observed'
  GROUP BY lot_key, lot, tag, slot, read_point
);

-- Where every unit of a lot is: the entry of its newest slot with the strongest evidence and the newest read.
CREATE VIEW IF NOT EXISTS ${database}.unit_places ${on_cluster} AS
SELECT lot_key, lot, tag,
       p.1 AS location, p.2 AS disposition, p.3 AS evidence, p.4 AS last_at, p.5 AS read_point, p.6 AS path
FROM (
  SELECT lot_key, lot, tag,
         argMax((location, disposition, evidence, last_at, read_point, path),
                (slot, -toInt8(evidence), last_at, read_point)) AS p
  FROM ${database}.unit_entries
  GROUP BY lot_key, lot, tag
);

-- Movements derived from the entries: where from is the location before.
CREATE VIEW IF NOT EXISTS ${database}.movements ${on_cluster} AS
SELECT lot_key, lot, tag, moved_from AS source, location, disposition, first_at AS at, read_point, direction, evidence
FROM (
  SELECT *, lagInFrame(location, 1, '') OVER (PARTITION BY lot_key, tag ORDER BY slot, last_at, read_point
                                              ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS moved_from
  FROM ${database}.unit_entries
)
WHERE location != moved_from;

-- Quantity facts, each at its highest revision; a retracted one counts nothing.
CREATE VIEW IF NOT EXISTS ${database}.lot_quantities ${on_cluster} AS
SELECT lot_key, lot, identity, q.1 AS source, q.2 AS location, q.3 AS disposition, q.4 AS amount, q.5 AS uom,
       q.6 AS cases, q.7 AS biz_step, q.8 AS evidence, q.9 AS document, q.10 AS line, q.11 AS party, q.12 AS at,
       q.13 AS source_disposition
FROM (
  SELECT lot_key, lot, identity, max(retracted) AS withdrawn,
         argMax((source, location, disposition, amount, uom, cases, biz_step, evidence, document, line, party, at,
                 source_disposition),
                (revision, recorded_at)) AS q
  FROM ${database}.quantities
  GROUP BY lot_key, lot, identity
)
WHERE NOT withdrawn;

-- What is known of each lot: the statements of all its events, the newest word of each kind.
CREATE VIEW IF NOT EXISTS ${database}.lot_master ${on_cluster} AS
SELECT lot_key, lot, any(s.gtin) AS gtin, any(s.code) AS code, argMaxIf(s.supplier_code, s.at, s.supplier_code != '') AS supplier_code,
       argMaxIf(s.description, s.at, s.description != '') AS description,
       argMaxIf(s.location, s.at, s.location != '') AS location,
       min(s.produced_at) AS produced_at, argMaxIf(s.expires, s.at, isNotNull(s.expires)) AS expires,
       argMaxIf(s.best_before, s.at, isNotNull(s.best_before)) AS best_before,
       sum(s.units) AS units, sum(s.amount) AS amount, anyIf(s.uom, s.uom != '') AS uom, argMax(s.status, s.at) AS status
FROM (
  SELECT lot_key, lot, event, max(retracted) AS withdrawn, argMax(gtin, recorded_at) AS gtin, argMax(code, recorded_at) AS code,
         argMax(supplier_code, recorded_at) AS supplier_code, argMax(description, recorded_at) AS description,
         argMax(location, recorded_at) AS location, argMax(tuple(produced_at), recorded_at).1 AS produced_at,
         argMax(tuple(expires), recorded_at).1 AS expires, argMax(tuple(best_before), recorded_at).1 AS best_before,
         argMax(tuple(units), recorded_at).1 AS units, argMax(tuple(amount), recorded_at).1 AS amount,
         argMax(uom, recorded_at) AS uom, argMax(status, recorded_at) AS status, argMax(at, recorded_at) AS at
  FROM ${database}.lots
  GROUP BY lot_key, lot, event
) AS s
WHERE NOT withdrawn
GROUP BY lot_key, lot;
