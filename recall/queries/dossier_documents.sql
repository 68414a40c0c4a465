-- The documents with a line of a lot, or by which some of it was made, moved or lost.
SELECT DISTINCT document FROM (
  SELECT document FROM document_lines WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
  UNION ALL
  SELECT document FROM quantities WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
  UNION ALL
  SELECT document FROM transformations WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
  UNION ALL
  SELECT document FROM lot_sightings WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND document != ''
)
WHERE document != ''
ORDER BY document
LIMIT {limit:UInt32}
