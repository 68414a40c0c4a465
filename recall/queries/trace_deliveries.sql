-- Shipments and receipts of lots: units counted, and amounts, each by event and document line. Units inside something
-- that was shipped are among them for as long as they were inside. All facts that an event declares say the same of place,
-- party and paper, in every version; so units are counted as they are, and only where any of them was taken back are
-- the highest versions chosen.
WITH taken_back AS (
  SELECT lot_key, event FROM lot_sightings
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    AND biz_step IN {steps:Array(String)} AND bitTest(marks, 3)
)
SELECT toString(lot) AS lot, toString(any(s.biz_step)) AS biz_step, any(s.document) AS document, any(s.line) AS line,
       toString(any(s.party)) AS party, '' AS source, toString(any(s.location)) AS location, event, min(s.first_at) AS at,
       uniqExact(tag) AS items, toDecimal128(0, 6) AS amount, '' AS uom
FROM lot_sightings AS s
WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND s.lot IN {lots:Array(String)}
  AND NOT startsWith(tag, '02/') AND evidence = 'declared' AND s.biz_step IN {steps:Array(String)}
  AND s.first_at <= {as_of:DateTime64(6, 'UTC')} AND (lot_key, event) NOT IN taken_back
GROUP BY lot_key, lot, event
UNION ALL
SELECT toString(lot) AS lot, toString(any(v.biz_step)) AS biz_step, any(v.document) AS document, any(v.line) AS line,
       toString(any(v.party)) AS party, '' AS source, toString(any(v.location)) AS location, event, min(v.first_at) AS at,
       uniqExact(tag) AS items, toDecimal128(0, 6) AS amount, '' AS uom
FROM (
  SELECT lot_key, lot, tag, biz_step, document, line, party, location, event, first_at, bitTest(marks, 3) AS retracted
  FROM lot_sightings
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    AND NOT startsWith(tag, '02/') AND evidence = 'declared' AND biz_step IN {steps:Array(String)}
    AND (lot_key, event) IN taken_back
  ORDER BY lot_key, tag, read_point, slot, lane, origin, path,
           version DESC, binding DESC, relabelled DESC, bitTest(marks, 3) DESC
  LIMIT 1 BY lot_key, lot, tag, read_point, slot, lane, origin, path
) AS v
WHERE NOT retracted AND v.first_at <= {as_of:DateTime64(6, 'UTC')}
GROUP BY lot_key, lot, event
UNION ALL
SELECT lot, toString(biz_step) AS biz_step, document, line, toString(party) AS party,
       toString(source) AS source, toString(location) AS location, event, min(q.at) AS at, 0 AS items,
       sum(q.amount) AS amount, toString(uom) AS uom
FROM lot_quantities AS q
WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
  AND q.at <= {as_of:DateTime64(6, 'UTC')} AND biz_step IN {steps:Array(String)}
GROUP BY lot, biz_step, document, line, party, source, location, event, uom
ORDER BY at, lot, event, document, line, uom
