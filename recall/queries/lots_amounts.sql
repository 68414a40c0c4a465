-- Class-level goods of many lots by place, as counts until then had it; in a logistic unit: the unit.
SELECT lot, place AS location, disposition, '' AS source, '' AS source_disposition, uom, amount, cases,
       'declared' AS evidence, {as_of:DateTime64(6, 'UTC')} AS since, {as_of:DateTime64(6, 'UTC')} AS newest
FROM quantity_places_at(as_of = {as_of:DateTime64(6, 'UTC')})
WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
