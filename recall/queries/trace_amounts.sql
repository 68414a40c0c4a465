-- Shipments and receipts of class-level goods of lots, summed by event and document line.
SELECT lot, toString(biz_step) AS biz_step, document, line, toString(party) AS party, toString(source) AS source,
       toString(location) AS location, event, min(q.at) AS at, 0 AS items, sum(q.amount) AS amount, toString(uom) AS uom
FROM (
  SELECT lot, source, location, amount, uom, biz_step, document, line, party, event, at, retracted
  FROM quantities
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    -- of most lots most facts are scans: versions are weighed of what was ever sent or received
    AND (lot_key, identity) IN (
      SELECT lot_key, identity FROM quantities
      WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
        AND biz_step IN {steps:Array(String)})
  ORDER BY lot_key, identity, retracted DESC, revision DESC, recorded_at DESC, event DESC
  LIMIT 1 BY lot_key, lot, identity
) AS q
WHERE NOT retracted AND q.at <= {as_of:DateTime64(6, 'UTC')} AND q.biz_step IN {steps:Array(String)}
GROUP BY lot, biz_step, document, line, party, source, location, event, uom
