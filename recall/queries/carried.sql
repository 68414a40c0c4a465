-- Where the logistic units are that hold class-level goods of a lot: where each portion is (schemas.portions).
SELECT substring(tag, length(concat('02/', substring({lot:String}, 4), '/')) + 1) AS unit, location, disposition,
       toString(evidence) AS evidence, last_at
FROM unit_places_at(as_of = {as_of:DateTime64(6, 'UTC')})
WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND startsWith(tag, '02/')
