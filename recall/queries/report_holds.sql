-- What was decided about the holds of lots: of each hold and action the newest version.
SELECT lot, hold, toString(action) AS action, toString(purpose) AS purpose, first_serials, last_serials, units, amount,
       uom, site, by, reason, at
FROM holds
WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
  AND at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY lot, hold, action, at DESC, recorded_at DESC, decision DESC
LIMIT 1 BY lot, hold, action
