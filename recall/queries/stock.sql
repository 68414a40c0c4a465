-- Units and amounts on hand by lot and location; any of the filters may be empty. What a logistic unit holds of a lot by
-- class is where that unit is: where its portion is (schemas.portions).
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
  WHERE lot_key IN (SELECT lot_key FROM chosen) AND NOT startsWith(tag, '02/')
  GROUP BY lot_key, lot, place, state
  UNION ALL
  SELECT loose.lot_key AS lot_key, loose.lot AS lot, if(portion.tag = '', loose.place, toString(portion.location)) AS place,
         if(portion.tag = '', loose.disposition, toString(portion.disposition)) AS state, 0 AS items,
         sum(loose.amount) AS amount, toString(loose.uom) AS uom, sum(loose.cases) AS cases
  FROM quantity_places_at(as_of = {as_of:DateTime64(6, 'UTC')}) AS loose
  LEFT JOIN (
    SELECT lot_key, lot, tag, location, disposition FROM unit_places_at(as_of = {as_of:DateTime64(6, 'UTC')})
    WHERE lot_key IN (SELECT lot_key FROM chosen) AND startsWith(tag, '02/')
  ) AS portion ON portion.lot_key = loose.lot_key AND portion.lot = loose.lot
    AND portion.tag = concat('02/', substring(loose.lot, 4), '/', loose.place)
  WHERE loose.lot_key IN (SELECT lot_key FROM chosen)
  GROUP BY lot_key, lot, place, state, uom
  HAVING amount != 0 OR cases != 0
) AS held
INNER JOIN chosen ON held.lot_key = chosen.lot_key AND held.lot = chosen.lot
WHERE empty({locations:Array(String)}) OR has({locations:Array(String)}, place)
ORDER BY ifNull(expires, best_before) NULLS LAST, lot, location, uom
LIMIT {limit:UInt32}
