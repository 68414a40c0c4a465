-- Other lots that were where these lots were while these were there: by lot, place and the interval of both. Which other
-- lots may have been, by the days of their facts there, is told by lot_places; of these alone the facts are read.
WITH (
  SELECT groupArray((lot, location, since, until))
  FROM (
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
) AS stays,
ours AS (
  SELECT stay.1 AS lot, stay.2 AS location, stay.3 AS since, stay.4 AS until
  FROM (SELECT arrayJoin(stays) AS stay)
),
near AS (
  SELECT there.lot_key AS lot_key, there.location AS location
  FROM (
    SELECT lot_key, toString(location) AS location, min(day) AS since, max(day) AS until
    FROM lot_places
    WHERE location IN (SELECT location FROM ours)
      AND lot_key NOT IN (SELECT sipHash64(arrayJoin({lots:Array(String)})))
    GROUP BY lot_key, location
  ) AS there
  INNER JOIN (
    SELECT location, toDate(min(since)) AS since, toDate(max(until)) AS until FROM ours GROUP BY location
  ) AS here ON there.location = here.location
  WHERE there.since <= here.until AND there.until >= here.since
)
SELECT ours.lot AS lot, theirs.lot AS other, ours.location AS location, greatest(ours.since, theirs.since) AS since,
       least(ours.until, theirs.until) AS until, theirs.items AS items
FROM (
  -- each lot once before the join, which would otherwise be of every sighting with every lot
  SELECT lot, location, min(first_at) AS since, max(last_at) AS until, max(tags) AS items
  FROM (
    SELECT toString(any(s.lot)) AS lot, toString(s.location) AS location, min(s.first_at) AS first_at,
           max(s.first_at) AS last_at, uniq(tag) AS tags
    FROM lot_sightings AS s
    WHERE (lot_key, s.location) IN (SELECT lot_key, location FROM near)
      AND slot >= {first_slot:UInt32} AND slot <= {last_slot:UInt32}
      AND s.lot NOT IN {lots:Array(String)} AND s.first_at <= {as_of:DateTime64(6, 'UTC')} AND state = 'observed'
      AND NOT bitTest(marks, 3)
    GROUP BY lot_key, s.location
    UNION ALL
    SELECT lot, toString(q.location) AS location, min(q.at) AS first_at, max(q.at) AS last_at, 0 AS tags
    FROM lot_quantities AS q
    WHERE lot_key IN (SELECT lot_key FROM near) AND q.location IN (SELECT location FROM ours)
      AND lot NOT IN {lots:Array(String)} AND q.at <= {as_of:DateTime64(6, 'UTC')}
    GROUP BY lot, location
  )
  GROUP BY lot, location
) AS theirs
INNER JOIN ours ON theirs.location = ours.location
WHERE theirs.since <= ours.until AND theirs.until >= ours.since
ORDER BY lot, location, other, since
LIMIT 1 BY lot, location, other
LIMIT {most:UInt32}
