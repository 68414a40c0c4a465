-- What the history holds in all: reads, and the visits that they became.
SELECT sum(reads) AS reads, count() AS sightings, uniqExact(tag) AS tags
FROM (
  SELECT tag, argMax(reads, version) AS reads
  FROM sightings
  WHERE evidence = 'confirmed'
  GROUP BY tag, read_point, slot, lane, origin, path
)
