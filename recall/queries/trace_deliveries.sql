-- Shipments and receipts of lots: units counted, and amounts, each by event and document line. Units inside something
-- that was shipped are among them for as long as they were inside.
SELECT lot, biz_step, document, line, party, '' AS source, location, event, min(at) AS at, count() AS items,
       toDecimal128(0, 6) AS amount, '' AS uom
FROM (
  SELECT lot, tag, toString(biz_step) AS biz_step, document, line, toString(party) AS party,
         toString(location) AS location, event, min(first_at) AS at
  FROM lot_facts_at(as_of = {as_of:DateTime64(6, 'UTC')})
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    AND NOT startsWith(tag, '02/') AND NOT retracted AND evidence = 'declared' AND biz_step IN {steps:Array(String)}
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
