-- What was said of a lot: each event's newest statement, in order of time; a retracted one says nothing.
SELECT gtin, code, supplier_code, description, location, produced_at, expires, best_before, units, amount, uom, status,
       site, line, planned, planned_uom
FROM (
  SELECT * FROM lots
  WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
  ORDER BY retracted DESC, recorded_at DESC
  LIMIT 1 BY event
)
WHERE NOT retracted AND at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY at, event
