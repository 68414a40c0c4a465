-- What is known of a lot.
SELECT lot, gtin, code, supplier_code, description, location, produced_at, expires, best_before, units, amount, uom,
       status
FROM lot_master
WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
