-- Conversions between units of measure of products, by when they came into force; those taken back left out.
SELECT gtin, uom, factor, to_uom, at
FROM (
  SELECT * FROM conversions
  WHERE gtin IN {gtins:Array(String)}
  ORDER BY error DESC
  LIMIT 1 BY gtin, uom, to_uom, at, event
)
WHERE NOT error
ORDER BY at, recorded_at, event
