-- What was decided about the holds of one recall case: of each lot, hold and action the newest version.
SELECT lot, hold, toString(action) AS action, toString(purpose) AS purpose, first_serials, last_serials, units, amount,
       uom, site, by, reason, at
FROM holds
WHERE (hold = {hold:String} OR startsWith(hold, concat({hold:String}, '/'))) AND at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY lot, hold, action, at DESC, recorded_at DESC, decision DESC
LIMIT 1 BY lot, hold, action
