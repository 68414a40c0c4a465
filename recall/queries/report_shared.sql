-- Other lots that were where these lots were while these were there: by lot, place and the interval of both.
WITH ours AS (
  SELECT lot, toString(location) AS location, min(first_at) AS since, max(last_at) AS until
  FROM lot_facts_at(as_of = {as_of:DateTime64(6, 'UTC')})
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)} AND places
  GROUP BY lot, location
  UNION ALL
  SELECT lot, toString(arrayJoin(arrayFilter(place -> place != '', [source, location]))) AS location, min(q.at) AS since,
         max(q.at) AS until
  FROM lot_quantities AS q
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    AND q.at <= {as_of:DateTime64(6, 'UTC')}
  GROUP BY lot, location
)
SELECT ours.lot AS lot, theirs.lot AS other, ours.location AS location, greatest(ours.since, theirs.since) AS since,
       least(ours.until, theirs.until) AS until, theirs.items AS items
FROM (
  -- each lot once before the join, which would otherwise be of every sighting with every lot
  SELECT lot, location, min(at) AS since, max(at) AS until, uniqIf(tag, tag != '') AS items
  FROM (
    SELECT toString(lot) AS lot, toString(location) AS location, tag, first_at AS at FROM lot_sightings
    WHERE location IN (SELECT location FROM ours) AND slot >= {first_slot:UInt32} AND slot <= {last_slot:UInt32}
      AND lot NOT IN {lots:Array(String)} AND first_at <= {as_of:DateTime64(6, 'UTC')} AND state = 'observed'
      AND NOT bitTest(marks, 3)
    UNION ALL
    SELECT lot, toString(location) AS location, '' AS tag, q.at AS at FROM lot_quantities AS q
    WHERE location IN (SELECT location FROM ours) AND lot NOT IN {lots:Array(String)}
      AND q.at <= {as_of:DateTime64(6, 'UTC')}
  )
  GROUP BY lot, location
) AS theirs
INNER JOIN ours ON theirs.location = ours.location
WHERE theirs.since <= ours.until AND theirs.until >= ours.since
ORDER BY lot, location, other, since
LIMIT 1 BY lot, location, other
LIMIT {most:UInt32}
