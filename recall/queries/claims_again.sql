-- Every number that was given, with the claim as it was said last.
SELECT said.text AS text, given.lot AS lot
FROM (
  SELECT subject AS gtin, name AS claim, argMax(text, (recorded_at, source_offset)) AS text
  FROM decisions
  WHERE kind = 'lot_claim'
  GROUP BY gtin, claim
) AS said
INNER JOIN (SELECT DISTINCT gtin, claim, lot FROM lot_numbers WHERE lot != '') AS given
  ON said.gtin = given.gtin AND said.claim = given.claim
ORDER BY lot
