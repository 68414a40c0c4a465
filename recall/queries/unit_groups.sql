-- Units of a lot (but not the portions that logistic units hold of it by class), counted by where they are, how that is known, and which shipments they went out with.
-- Facts are weighed as view lot_facts weighs those of many lots; said again for one, it takes two thirds of the time.
SELECT place.1 AS location, place.2 AS disposition, toString(place.3) AS evidence, place.6 AS final, placed, sent,
       count() AS items, groupUniqArrayIf(place.5[1], notEmpty(place.5)) AS carriers,
       max(place.4) AS newest, min(since) AS since
FROM (
  SELECT tag, min(first_at) AS since, max(places) AS placed,
         argMaxIf((location, disposition, evidence, last_at, path, final),
                  (slot, -toInt8(evidence), last_at, read_point, lane, origin, path), places) AS place,
         arraySort(groupUniqArrayIf(
           (if(party = '', location, party), document, line, first_at),
           evidence = 'declared' AND NOT retracted AND biz_step IN ('shipping', 'departing', 'retail_selling')
             AND (party != '' OR document != ''))) AS sent
  FROM (
    SELECT *, state = 'observed' AND NOT retracted
              AND NOT (startsWith(lane, 'late:')
                       AND max(lane = '' AND NOT retracted) OVER (PARTITION BY tag, slot, read_point)) AS places
    FROM (
      SELECT tag, read_point, slot, lane, origin, path, location, first_at, last_at, state, evidence, biz_step,
             disposition, document, line, party, bitTest(marks, 0) AS final, bitTest(marks, 3) AS retracted
      FROM lot_sightings
      WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND NOT startsWith(tag, '02/')
      ORDER BY lot_key, tag, read_point, slot, lane, origin, path,
               version DESC, binding DESC, relabelled DESC, bitTest(marks, 3) DESC
      LIMIT 1 BY tag, read_point, slot, lane, origin, path
    )
    WHERE first_at <= {as_of:DateTime64(6, 'UTC')}
  )
  GROUP BY tag
)
WHERE placed OR notEmpty(sent)
GROUP BY location, disposition, evidence, final, sent, placed
