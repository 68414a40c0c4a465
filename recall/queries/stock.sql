-- Units and amounts on hand by lot and location; any of the filters may be empty.
WITH chosen AS (
  SELECT known.lot_key AS lot_key, known.lot AS lot, description, expires, best_before
  FROM (SELECT DISTINCT lot_key, lot FROM lot_names) AS known
  LEFT JOIN lot_master AS master ON known.lot_key = master.lot_key AND known.lot = master.lot
  WHERE ({gtin:String} = '' OR substring(known.lot, 4, 14) = {gtin:String})
    AND ({expires_before:String} = '' OR ifNull(expires, best_before) < toDate32OrNull({expires_before:String}))
)
SELECT chosen.lot AS lot, substring(chosen.lot, 4, 14) AS gtin, decodeURLComponent(substring(chosen.lot, 22)) AS code,
       description, expires, best_before, place AS location, state AS disposition, items, amount, uom, cases
FROM (
  SELECT lot_key, lot, toString(location) AS place, toString(disposition) AS state, count() AS items,
         toDecimal128(0, 6) AS amount, '' AS uom, toInt64(0) AS cases
  FROM unit_places_at(as_of = {as_of:DateTime64(6, 'UTC')})
  WHERE lot_key IN (SELECT lot_key FROM chosen)
  GROUP BY lot_key, lot, place, state
  UNION ALL
  SELECT lot_key, lot, place, disposition AS state, 0 AS items, amount, toString(uom) AS uom, cases
  FROM quantity_places_at(as_of = {as_of:DateTime64(6, 'UTC')})
  WHERE lot_key IN (SELECT lot_key FROM chosen)
) AS held
INNER JOIN chosen ON held.lot_key = chosen.lot_key AND held.lot = chosen.lot
WHERE empty({locations:Array(String)}) OR has({locations:Array(String)}, place)
ORDER BY ifNull(expires, best_before) NULLS LAST, lot, location, uom
LIMIT {limit:UInt32}
