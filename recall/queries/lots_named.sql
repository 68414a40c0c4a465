-- The lots that bear a name: as their code, or as the supplier's.
SELECT DISTINCT lot FROM lot_names
WHERE name = {code:String} AND ({gtin:String} = '' OR substring(lot, 4, 14) = {gtin:String})
ORDER BY lot
LIMIT 100
