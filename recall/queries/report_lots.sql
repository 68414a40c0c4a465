-- What was said of lots: each event's newest statement, in order of time; a retracted one says nothing.
SELECT lot, gtin, code, supplier_code, description, location, produced_at, expires, best_before, units, amount, uom,
       status, site, line, planned, planned_uom, at, event, source_partition, source_offset
FROM (
  SELECT * FROM lots
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
  ORDER BY lot_key, lot, event, retracted DESC, recorded_at DESC
  LIMIT 1 BY lot_key, lot, event
)
WHERE NOT retracted AND at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY lot, at, event
