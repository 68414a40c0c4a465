-- All lots that were told that their item rows have too little of some units, or too much.
SELECT DISTINCT lot FROM lot_names
WHERE kind = 'told' AND ({gtin:String} = '' OR substring(lot, 4, 14) = {gtin:String})
