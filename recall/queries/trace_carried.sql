-- With which shipments and receipts logistic units went that held class-level goods of lots: by their portions.
SELECT lot, substring(tag, length(concat('02/', substring(lot, 4), '/')) + 1) AS unit, biz_step, document, line, party,
       location, event, min(first_at) AS at
FROM (
  SELECT toString(lot) AS lot, tag, toString(biz_step) AS biz_step, document, line, toString(party) AS party,
         toString(location) AS location, event, first_at, bitTest(marks, 3) AS retracted
  FROM lot_sightings
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    AND startsWith(tag, '02/') AND evidence = 'declared' AND biz_step IN {steps:Array(String)}
  ORDER BY lot_key, tag, read_point, slot, lane, origin, path,
           version DESC, binding DESC, relabelled DESC, bitTest(marks, 3) DESC
  LIMIT 1 BY lot_key, lot, tag, read_point, slot, lane, origin, path
)
WHERE NOT retracted AND first_at <= {as_of:DateTime64(6, 'UTC')}
GROUP BY lot, unit, biz_step, document, line, party, location, event
ORDER BY at, event, unit
