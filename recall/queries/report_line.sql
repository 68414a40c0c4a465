-- Other lots that were made on the line of these lots on the same day (UTC), as statements about them say.
SELECT ours.lot AS lot, theirs.lot AS other, toString(theirs.location) AS location, toString(theirs.line) AS line,
       least(min(ours.produced_at), min(theirs.produced_at)) AS since,
       greatest(max(ours.produced_at), max(theirs.produced_at)) AS until, toUInt64(0) AS items
FROM (
  SELECT lot, location, line, produced_at, event FROM lots
  WHERE line != '' AND produced_at IS NOT NULL AND lot NOT IN {lots:Array(String)} AND at <= {as_of:DateTime64(6, 'UTC')}
    AND (lot, event) NOT IN (SELECT lot, event FROM lots WHERE retracted)
) AS theirs
INNER JOIN (
  SELECT lot, location, line, produced_at, toDate(produced_at) AS day FROM lots
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    AND line != '' AND produced_at IS NOT NULL AND NOT retracted AND at <= {as_of:DateTime64(6, 'UTC')}
) AS ours ON theirs.line = ours.line AND theirs.location = ours.location
WHERE toDate(theirs.produced_at) = ours.day
GROUP BY lot, other, location, line
ORDER BY lot, line, other
LIMIT {most:UInt32}
