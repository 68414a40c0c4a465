-- The lots that bear a name, as their code or as the supplier's; of those whose code it is, what there is of them.
SELECT lot, max(kind IN ('units', 'told')) AS units, max(kind = 'told') AS told,
       max(kind = 'quantities') AS quantities
FROM lot_names
WHERE name = {code:String} AND ({gtin:String} = '' OR substring(lot, 4, 14) = {gtin:String})
GROUP BY lot
ORDER BY lot
LIMIT 100
