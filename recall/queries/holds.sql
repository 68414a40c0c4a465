-- What was decided about the holds of a lot: of each hold and action the newest version.
SELECT hold, toString(action) AS action, toString(purpose) AS purpose, first_serials, last_serials, units, amount, uom,
       site, by, reason, at
FROM holds
WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY hold, action, at DESC, recorded_at DESC, decision DESC
LIMIT 1 BY hold, action
