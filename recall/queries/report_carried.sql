-- Where the logistic units are that hold class-level goods of lots: where each portion is (schemas.portions).
SELECT lot, substring(tag, length(concat('02/', substring(lot, 4), '/')) + 1) AS unit, toString(location) AS location,
       toString(disposition) AS disposition, toString(evidence) AS evidence, last_at
FROM unit_places_at(as_of = {as_of:DateTime64(6, 'UTC')})
WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
  AND startsWith(tag, '02/')
