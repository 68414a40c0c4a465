-- Lots, newest first; any of the filters may be empty. A lot of which nothing is known but goods has its key alone.
SELECT lot, substring(lot, 4, 14) AS gtin, decodeURLComponent(substring(lot, 22)) AS code, supplier_code, description,
       location, produced_at, expires, best_before, units, amount, uom, site, line, planned, planned_uom,
       if(status = '', 'active', status) AS status
FROM (SELECT DISTINCT lot_key, lot FROM lot_names) AS known
LEFT JOIN lot_master AS master ON known.lot_key = master.lot_key AND known.lot = master.lot
WHERE ({gtin:String} = '' OR gtin = {gtin:String})
  AND ({text:String} = '' OR positionCaseInsensitiveUTF8(concat(code, ' ', supplier_code, ' ', description), {text:String}) > 0)
ORDER BY produced_at DESC NULLS LAST, lot
LIMIT {limit:UInt32}
