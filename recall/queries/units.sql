-- Where each unit of a lot is: as view unit_places_at has it, said in one piece, which the server plans in half the time.
SELECT tag, location, disposition, toString(evidence) AS evidence, read_point, last_at, path, bitTest(marks, 0) AS final
FROM (
  SELECT tag, location, disposition, evidence, read_point, last_at, path, marks
  FROM (
    SELECT tag, read_point, slot, lane, origin, path, location, disposition, evidence, first_at, last_at, state, marks
    FROM lot_sightings
    WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
    ORDER BY lot_key, tag, read_point, slot, lane, origin, path,
             version DESC, binding DESC, relabelled DESC, bitTest(marks, 3) DESC
    LIMIT 1 BY tag, read_point, slot, lane, origin, path
  )
  WHERE first_at <= {as_of:DateTime64(6, 'UTC')}
  QUALIFY state = 'observed' AND NOT bitTest(marks, 3)
      AND NOT (startsWith(lane, 'late:')
               AND max(lane = '' AND NOT bitTest(marks, 3)) OVER (PARTITION BY tag, slot, read_point))
  ORDER BY slot DESC, evidence, last_at DESC, read_point DESC, lane DESC, origin DESC, path DESC
  LIMIT 1 BY tag
)
ORDER BY location, length(tag), tag
LIMIT {limit:UInt32}
