-- Serialised units of lots that were destroyed on documents (orders), counted by the event that says so.
SELECT lot, 'destroyed' AS effect, '' AS source, toDecimal128(uniqExact(tag), 6) AS amount, 'items' AS uom,
       min(first_at) AS at, event
FROM (
  SELECT toString(lot) AS lot, tag, first_at, event, bitTest(marks, 3) AS retracted
  FROM lot_sightings
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    AND NOT startsWith(tag, '02/') AND evidence = 'declared' AND document IN {documents:Array(String)}
    AND disposition IN ('destroyed', 'disposed')
  ORDER BY lot_key, tag, read_point, slot, lane, origin, path,
           version DESC, binding DESC, relabelled DESC, bitTest(marks, 3) DESC
  LIMIT 1 BY lot_key, lot, tag, read_point, slot, lane, origin, path
)
WHERE NOT retracted AND first_at <= {as_of:DateTime64(6, 'UTC')}
GROUP BY lot, event
ORDER BY at, lot, event
