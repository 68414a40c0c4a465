-- Where each unit of a lot is.
SELECT tag, location, disposition, toString(evidence) AS evidence, read_point, last_at, path, final
FROM unit_places_at(as_of = {as_of:DateTime64(6, 'UTC')})
WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
ORDER BY location, length(tag), tag
LIMIT {limit:UInt32}
