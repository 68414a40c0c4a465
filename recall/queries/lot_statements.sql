-- Everything that was ever said of a lot, each version once, in order of its receipt.
SELECT event, at, by, reason, retracted, recorded_at, supplier_code, description, location, produced_at, expires,
       best_before, units, amount, uom, site, line, planned, planned_uom
FROM lots
WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY recorded_at, event, source_offset
LIMIT 1 BY event, retracted, recorded_at
