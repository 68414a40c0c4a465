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

-- Class-level goods by place.
CREATE VIEW IF NOT EXISTS ${database}.quantity_places_at ${on_cluster} AS
SELECT lot_key, lot, place, state AS disposition, uom, sum(change) AS amount, sum(labels) AS cases
FROM (
  SELECT lot_key, lot, toString(location) AS place, toString(disposition) AS state, uom, amount AS change,
         toInt64(cases) AS labels
  FROM ${database}.lot_quantities
  WHERE at <= {as_of:DateTime64(6, 'UTC')}
  UNION ALL
  SELECT lot_key, lot, toString(source) AS place, toString(source_disposition) AS state, uom, -amount AS change,
         -toInt64(cases) AS labels
  FROM ${database}.lot_quantities
  WHERE at <= {as_of:DateTime64(6, 'UTC')}
)
WHERE place != ''
GROUP BY lot_key, lot, place, state, uom
HAVING amount != 0 OR cases != 0;
