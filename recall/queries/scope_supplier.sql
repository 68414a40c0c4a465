-- The lots that bear a supplier's own code, as statements that hold say.
SELECT DISTINCT lot
FROM (
  SELECT * FROM lots
  WHERE lot_key IN (SELECT lot_key FROM lot_names WHERE name = {code:String})
  ORDER BY lot_key, event, retracted DESC, recorded_at DESC
  LIMIT 1 BY lot_key, lot, event
)
WHERE NOT retracted AND supplier_code = {code:String} AND at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY lot
