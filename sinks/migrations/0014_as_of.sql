-- The same views as of an event time: of the facts at their highest version only those that had happened by then. A
-- sighting that had begun by then counts whole (its slot ends at most 30 s later).
CREATE VIEW IF NOT EXISTS ${database}.lot_facts_at ${on_cluster} AS
SELECT *, state = 'observed' AND NOT retracted
          AND NOT (startsWith(lane, 'late:')
                   AND max(lane = '' AND NOT retracted) OVER (PARTITION BY lot_key, lot, tag, slot, read_point)) AS places
FROM ${database}.lot_versions
WHERE first_at <= {as_of:DateTime64(6, 'UTC')};

-- Where every unit of a lot was.
CREATE VIEW IF NOT EXISTS ${database}.unit_places_at ${on_cluster} AS
SELECT lot_key, lot, tag, location, disposition, evidence, last_at, read_point, path, final
FROM ${database}.lot_facts_at(as_of = {as_of:DateTime64(6, 'UTC')})
WHERE places
ORDER BY slot DESC, evidence, last_at DESC, read_point DESC, lane DESC, origin DESC, path DESC
LIMIT 1 BY lot_key, lot, tag;

-- Class-level goods by place, as counts until then had it.
CREATE VIEW IF NOT EXISTS ${database}.quantity_places_at ${on_cluster} AS
SELECT lot_key, lot, place, state AS disposition, unit AS uom,
       sumIf(change, NOT counted AND (NOT was_counted OR at > counted_at))
         + argMaxIf(change, (at, recorded_at, identity), counted) AS amount,
       sumIf(labels, NOT counted AND (NOT was_counted OR at > counted_at))
         + argMaxIf(labels, (at, recorded_at, identity), counted) AS cases
FROM (
  SELECT *, max(counted) OVER (PARTITION BY lot_key, lot, place, state, unit) AS was_counted,
         maxIf(at, counted) OVER (PARTITION BY lot_key, lot, place, state, unit) AS counted_at
  FROM ${database}.quantity_entries
  WHERE at <= {as_of:DateTime64(6, 'UTC')}
)
GROUP BY lot_key, lot, place, state, unit
HAVING amount != 0 OR cases != 0;
