-- What a quantity fact does to the balance of its lot, and stock that counts set: at a place that was counted the newest
-- count holds and what moved later is added; what moved until then is in it, whenever that is told.
ALTER TABLE ${database}.quantities ${on_cluster}
  ADD COLUMN IF NOT EXISTS effect LowCardinality(String) DEFAULT 'moved' COMMENT 'schemas.documents.Effect'
  AFTER cases;

CREATE OR REPLACE VIEW ${database}.lot_quantities ${on_cluster} AS
SELECT lot_key, lot, identity, source, source_disposition, location, disposition, amount, uom, cases, effect, biz_step,
       evidence, document, line, party, event, at, recorded_at
FROM (
  SELECT lot_key, lot, identity, source, source_disposition, location, disposition, amount, uom, cases, effect,
         biz_step, evidence, document, line, party, event, at, recorded_at, retracted
  FROM ${database}.quantities
  ORDER BY lot_key, identity, retracted DESC, revision DESC, recorded_at DESC, event DESC
  LIMIT 1 BY lot_key, lot, identity
)
WHERE NOT retracted;

-- The two ends of each fact as entries at places: what came, what left, what was counted. A look enters nothing.
CREATE VIEW IF NOT EXISTS ${database}.quantity_entries ${on_cluster} AS
SELECT lot_key, lot, toString(location) AS place, toString(disposition) AS state, toString(uom) AS unit, at, recorded_at,
       identity, effect = 'counted' AS counted, amount AS change, toInt64(cases) AS labels, document
FROM ${database}.lot_quantities
WHERE location != '' AND (effect = 'counted' OR location != source OR disposition != source_disposition)
UNION ALL
SELECT lot_key, lot, toString(source) AS place, toString(source_disposition) AS state, toString(uom) AS unit, at,
       recorded_at, identity, false AS counted, -amount AS change, -toInt64(cases) AS labels, document
FROM ${database}.lot_quantities
WHERE source != '' AND effect != 'counted' AND (location != source OR disposition != source_disposition);

-- Class-level goods by place: what was counted last, and what came and left since then; where that is not nothing.
CREATE OR REPLACE VIEW ${database}.quantity_places ${on_cluster} AS
SELECT lot_key, lot, place, state AS disposition, unit AS uom,
       sumIf(change, NOT counted AND (NOT was_counted OR at > counted_at))
         + argMaxIf(change, (at, recorded_at, identity), counted) AS amount,
       sumIf(labels, NOT counted AND (NOT was_counted OR at > counted_at))
         + argMaxIf(labels, (at, recorded_at, identity), counted) AS cases
FROM (
  SELECT *, max(counted) OVER (PARTITION BY lot_key, lot, place, state, unit) AS was_counted,
         maxIf(at, counted) OVER (PARTITION BY lot_key, lot, place, state, unit) AS counted_at
  FROM ${database}.quantity_entries
)
GROUP BY lot_key, lot, place, state, unit
HAVING amount != 0 OR cases != 0;
