-- Shipments and receipts of units of lots, counted by event, of those events alone of which any unit was taken back: by
-- the highest version of each fact.
SELECT toString(lot) AS lot, toString(any(v.biz_step)) AS biz_step, any(v.document) AS document, any(v.line) AS line,
       toString(any(v.party)) AS party, '' AS source, toString(any(v.location)) AS location, event, min(v.first_at) AS at,
       uniqExact(tag) AS items, '' AS uom
FROM (
  SELECT lot_key, lot, tag, biz_step, document, line, party, location, event, first_at, bitTest(marks, 3) AS retracted
  FROM lot_sightings
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    AND NOT startsWith(tag, '02/') AND evidence = 'declared' AND biz_step IN {steps:Array(String)}
    AND (lot_key, event) IN (
      SELECT lot_key, event FROM lot_sightings
      WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
        AND NOT startsWith(tag, '02/') AND biz_step IN {steps:Array(String)} AND bitTest(marks, 3))
  ORDER BY lot_key, tag, read_point, slot, lane, origin, path,
           version DESC, binding DESC, relabelled DESC, bitTest(marks, 3) DESC
  LIMIT 1 BY lot_key, lot, tag, read_point, slot, lane, origin, path
) AS v
WHERE NOT retracted AND v.first_at <= {as_of:DateTime64(6, 'UTC')}
GROUP BY lot_key, lot, event
