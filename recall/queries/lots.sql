-- Lots, newest first; any of the filters may be empty.
SELECT lot, gtin, code, supplier_code, description, location, produced_at, expires, best_before, units, amount, uom, status
FROM lot_master
WHERE ({gtin:String} = '' OR gtin = {gtin:String})
  AND ({text:String} = '' OR positionCaseInsensitiveUTF8(concat(code, ' ', supplier_code, ' ', description), {text:String}) > 0)
ORDER BY produced_at DESC, lot
LIMIT {limit:UInt32}
