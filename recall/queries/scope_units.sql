-- The units that were bound to lots by events that hold: serial ranges, and units of other names.
SELECT lot, groupUniqArrayIf((first_serial, last_serial), first_serial >= 0) AS serials,
       groupUniqArrayIf(subject, first_serial < 0) AS units
FROM (
  SELECT object AS lot, subject, first_serial, last_serial, at, event, max(retracted) AS withdrawn
  FROM bindings
  WHERE relation = 'lot' AND action = 'ADD' AND object IN {lots:Array(String)} AND NOT startsWith(subject, '02/')
    AND at <= {as_of:DateTime64(6, 'UTC')}
  GROUP BY object, subject, first_serial, last_serial, at, event
)
WHERE NOT withdrawn
GROUP BY lot
