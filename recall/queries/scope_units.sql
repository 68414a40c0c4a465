-- The units that were bound to lots by events that hold: serial ranges, units of other names, and whether logistic units
-- held goods of them by class.
SELECT lot, groupUniqArrayIf((first_serial, last_serial), first_serial >= 0) AS serials,
       groupUniqArrayIf(subject, first_serial < 0 AND NOT startsWith(subject, '02/')) AS units,
       max(startsWith(subject, '02/')) AS carried
FROM (
  SELECT object AS lot, subject, first_serial, last_serial, at, event, max(retracted) AS withdrawn
  FROM bindings
  WHERE relation = 'lot' AND action = 'ADD' AND object IN {lots:Array(String)}
    AND at <= {as_of:DateTime64(6, 'UTC')}
  GROUP BY object, subject, first_serial, last_serial, at, event
)
WHERE NOT withdrawn
GROUP BY lot
