-- What is known of where a unit was: each fact at its highest version, the newest first.
SELECT first_at, last_at, read_point, location, disposition, toString(direction) AS direction,
       toString(evidence) AS evidence, toString(state) AS state, reads, biz_step, document, line, party, path, reader,
       policy, bitTest(marks, 0) AS final
FROM (
  SELECT * FROM sightings
  WHERE tag = {tag:String}
  ORDER BY version DESC, bitTest(marks, 3) DESC
  LIMIT 1 BY read_point, slot, lane, origin, path
)
WHERE NOT bitTest(marks, 3) AND first_at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY first_at DESC, last_at DESC, read_point DESC, lane DESC, origin DESC, path DESC
LIMIT {limit:UInt32}
