-- The lots that a unit was bound to by events that hold, in order of time.
SELECT lot, min(at) AS since
FROM (
  SELECT object AS lot, at, max(retracted) AS withdrawn FROM bindings
  WHERE relation = 'lot' AND action = 'ADD' AND (
    subject = {tag:String}
    OR ({of_class:String} != '' AND subject = {of_class:String}
        AND first_serial <= {serial:Int64} AND last_serial >= {serial:Int64} AND first_serial >= 0))
  GROUP BY subject, first_serial, last_serial, object, at, event
)
WHERE NOT withdrawn
GROUP BY lot
ORDER BY since, lot
