-- Units and amounts on hand by lot and location; any of the filters may be empty.
WITH chosen AS (
  SELECT lot_key, lot, gtin, code, description, expires FROM lot_master
  WHERE ({gtin:String} = '' OR gtin = {gtin:String})
    AND ({expires_before:String} = '' OR expires < toDate32OrNull({expires_before:String}))
)
SELECT chosen.lot AS lot, gtin, code, description, expires, location, disposition, items, amount, uom, cases
FROM (
  SELECT lot_key, location, disposition, count() AS items, toDecimal64(0, 6) AS amount, '' AS uom, toInt64(0) AS cases
  FROM unit_places WHERE lot_key IN (SELECT lot_key FROM chosen)
  GROUP BY lot_key, location, disposition
  UNION ALL
  SELECT lot_key, location, disposition, 0 AS items, sum(change) AS amount, uom, sum(labels) AS cases
  FROM (
    SELECT lot_key, location, disposition, uom, amount AS change, toInt64(cases) AS labels FROM lot_quantities
    WHERE location != '' AND lot_key IN (SELECT lot_key FROM chosen)
    UNION ALL
    SELECT lot_key, source AS location, source_disposition AS disposition, uom, -amount AS change, -toInt64(cases) AS labels
    FROM lot_quantities WHERE source != '' AND lot_key IN (SELECT lot_key FROM chosen)
  )
  GROUP BY lot_key, location, disposition, uom
  HAVING amount != 0
) AS held
INNER JOIN chosen ON held.lot_key = chosen.lot_key
WHERE {location:String} = '' OR location = {location:String}
ORDER BY expires, lot, location
LIMIT {limit:UInt32}
