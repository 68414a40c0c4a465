-- Shipments and receipts of units of lots, counted by event. Units inside something that was shipped are among them for as
-- long as they were inside. All facts that an event declares say the same of place, party and paper, in every version; so
-- units are counted as they are. Where any was taken back (`withdrawn`), trace_deliveries_weighed tells instead.
SELECT toString(lot) AS lot, toString(anyIf(s.biz_step, counts)) AS biz_step, anyIf(s.document, counts) AS document,
       anyIf(s.line, counts) AS line, toString(anyIf(s.party, counts)) AS party, '' AS source,
       toString(anyIf(s.location, counts)) AS location, event, minIf(s.first_at, counts) AS at,
       uniqExactIf(tag, counts) AS items, '' AS uom, max(bitTest(marks, 3)) AS withdrawn
FROM (
  SELECT lot_key, lot, tag, biz_step, document, line, party, location, event, first_at, marks,
         evidence = 'declared' AND first_at <= {as_of:DateTime64(6, 'UTC')} AS counts
  FROM lot_sightings
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    AND NOT startsWith(tag, '02/') AND biz_step IN {steps:Array(String)}
) AS s
GROUP BY lot_key, lot, event
HAVING items > 0 OR withdrawn
