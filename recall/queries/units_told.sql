-- The units of a lot of which sightings were no item rows of it: they are placed when asked.
SELECT DISTINCT tag
FROM sightings_told(lots = {placed:Array(String)})
WHERE lot = {lot:String} AND NOT bitTest(marks, 3) AND first_at <= {as_of:DateTime64(6, 'UTC')}
  AND (tag, read_point, slot, lane, origin, path) NOT IN (
    SELECT tag, read_point, slot, lane, origin, path FROM lot_versions
    WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND NOT retracted)
