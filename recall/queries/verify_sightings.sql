-- Every version of every sighting of the units that are, or may be, of a lot: those that its rows name, and those that
-- its bindings name.
WITH (
  SELECT groupArray((first_serial, last_serial)) FROM bindings
  WHERE relation = 'lot' AND object = {lot:String} AND first_serial >= 0
) AS ranges
SELECT tag, toString(read_point) AS read_point, slot, lane, origin, path, version, toString(location) AS location,
       toString(disposition) AS disposition, toInt8(state) AS state, marks, toInt8(evidence) AS evidence,
       toUnixTimestamp64Micro(last_at) AS last_us
FROM sightings
WHERE tag IN (
    SELECT tag FROM lot_sightings WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
    UNION DISTINCT
    SELECT subject FROM bindings WHERE relation = 'lot' AND object = {lot:String} AND first_serial < 0)
  OR (startsWith(tag, concat({of_class:String}, '/21/'))
      AND toString(toInt64OrZero(substring(tag, 22))) = substring(tag, 22)
      AND arrayExists(range -> toInt64OrZero(substring(tag, 22)) BETWEEN range.1 AND range.2, ranges))
