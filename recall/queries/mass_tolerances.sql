-- What the newest master data of products say that may be missing from a process that makes them, in percent.
SELECT subject, JSONExtractString(ilmd, 'lotstream:balanceTolerance') AS percent
FROM (
  SELECT subject, argMax(event, (recorded_at, event)) AS event FROM (
    SELECT * FROM masters WHERE subject IN {subjects:Array(String)}
    ORDER BY subject, event, error DESC LIMIT 1 BY subject, event)
  WHERE NOT error
  GROUP BY subject
) AS newest
INNER JOIN (
  SELECT event, JSONExtractRaw(text, 'ilmd') AS ilmd FROM events
  WHERE NOT error AND event IN (SELECT event FROM masters WHERE subject IN {subjects:Array(String)})
  LIMIT 1 BY event
) AS said ON said.event = newest.event
WHERE percent != ''
ORDER BY subject
