-- Where lots were made, and what they are.
SELECT lot, description, toString(location) AS location
FROM lot_master
WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
