-- What is said of lots.
SELECT lot, description, supplier_code, expires
FROM lot_master
WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
