-- Lots of which class-level goods were at locations at any time within a window: there when it began, or come or gone
-- within it.
SELECT lot
FROM quantity_places_at(as_of = {opening:DateTime64(6, 'UTC')})
WHERE place IN {locations:Array(String)} AND disposition != 'in_transit' AND amount > 0
  AND lot_key IN (SELECT lot_key FROM quantities WHERE location IN {locations:Array(String)})
UNION DISTINCT
SELECT lot
FROM quantity_entries
WHERE place IN {locations:Array(String)} AND state != 'in_transit'
  AND lot_key IN (SELECT lot_key FROM quantities WHERE has({locations:Array(String)}, location) OR has({locations:Array(String)}, source))
  AND at >= {since:DateTime64(6, 'UTC')} AND at < {until:DateTime64(6, 'UTC')} AND at <= {as_of:DateTime64(6, 'UTC')}
