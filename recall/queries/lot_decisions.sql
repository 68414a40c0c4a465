-- Everything that was ever decided about holds of a lot, each version once, in order of its receipt.
SELECT decision, hold, toString(action) AS action, toString(purpose) AS purpose, first_serials, last_serials, units,
       amount, uom, site, by, reason, at, recorded_at
FROM holds
WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY recorded_at, decision, source_offset
LIMIT 1 BY decision, at, recorded_at
