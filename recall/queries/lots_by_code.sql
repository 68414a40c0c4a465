-- The lots that bear a code, ours or the supplier's.
SELECT DISTINCT lot, gtin, code, supplier_code FROM lots
WHERE code = {code:String} OR supplier_code = {code:String}
ORDER BY lot
LIMIT 100
