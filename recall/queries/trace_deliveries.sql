-- Shipments and receipts of lots: units counted, and amounts, each by event and document line. Units inside something
-- that was shipped are among them for as long as they were inside. Versions of one fact have one event, so that other
-- steps are left out before the highest is chosen.
SELECT lot, biz_step, document, line, party, '' AS source, location, event, min(at) AS at, count() AS items,
       toDecimal128(0, 6) AS amount, '' AS uom
FROM (
  SELECT toString(lot) AS lot, tag, toString(biz_step) AS biz_step, document, line, toString(party) AS party,
         toString(location) AS location, event, min(first_at) AS at
  FROM (
    SELECT lot, tag, biz_step, document, line, party, location, event, first_at, bitTest(marks, 3) AS retracted
    FROM lot_sightings
    WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
      AND NOT startsWith(tag, '02/') AND evidence = 'declared' AND biz_step IN {steps:Array(String)}
    ORDER BY lot_key, tag, read_point, slot, lane, origin, path,
             version DESC, binding DESC, relabelled DESC, bitTest(marks, 3) DESC
    LIMIT 1 BY lot_key, lot, tag, read_point, slot, lane, origin, path
  )
  WHERE NOT retracted AND first_at <= {as_of:DateTime64(6, 'UTC')}
  GROUP BY lot, tag, biz_step, document, line, party, location, event
)
GROUP BY lot, biz_step, document, line, party, location, event
UNION ALL
SELECT lot, toString(biz_step) AS biz_step, document, line, toString(party) AS party,
       toString(source) AS source, toString(location) AS location, event, min(q.at) AS at, 0 AS items,
       sum(q.amount) AS amount, toString(uom) AS uom
FROM lot_quantities AS q
WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
  AND q.at <= {as_of:DateTime64(6, 'UTC')} AND biz_step IN {steps:Array(String)}
GROUP BY lot, biz_step, document, line, party, source, location, event, uom
ORDER BY at, lot, event, document, line, uom
