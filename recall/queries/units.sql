-- Where each unit of a lot is now.
SELECT tag, location, disposition, toString(evidence) AS evidence, read_point, last_at, path, final
FROM unit_places
WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
ORDER BY location, length(tag), tag
LIMIT {limit:UInt32}
