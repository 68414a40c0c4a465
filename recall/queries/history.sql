-- Everything that is known of where a unit was: each fact at its highest version, oldest first.
SELECT v.1 AS first_at, v.2 AS last_at, read_point, v.3 AS location, v.4 AS disposition, toString(v.5) AS direction,
       toString(v.6) AS evidence, toString(v.7) AS state, v.8 AS reads, v.9 AS biz_step, v.10 AS document, v.11 AS line,
       v.12 AS party, path, v.13 AS reader, v.14 AS policy, bitTest(v.15, 0) AS final
FROM (
  SELECT read_point, slot, lane, origin, path, max(bitTest(marks, 3)) AS withdrawn,
         argMax((first_at, last_at, location, disposition, direction, evidence, state, reads, biz_step, document, line,
                 party, reader, policy, marks), version) AS v
  FROM sightings
  WHERE tag = {tag:String}
  GROUP BY read_point, slot, lane, origin, path
)
WHERE NOT bitTest(v.15, 3) AND NOT (withdrawn AND startsWith(lane, 'event:'))
ORDER BY first_at, last_at, read_point
LIMIT {limit:UInt32}
