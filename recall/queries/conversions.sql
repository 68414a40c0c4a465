-- Conversions between units of measure of the product of a lot, by when they came into force; those taken back left out.
SELECT uom, factor, to_uom, at
FROM (
  SELECT * FROM conversions
  WHERE gtin = substring({lot:String}, 4, 14)
  ORDER BY error DESC
  LIMIT 1 BY uom, to_uom, at, event
)
WHERE NOT error
ORDER BY at, recorded_at, event
