-- The lots that serials first..last of a product were bound to by events that hold, with the serials of each.
SELECT lot, greatest(low, {first:Int64}) AS first_serial, least(high, {last:Int64}) AS last_serial
FROM (
  SELECT object AS lot, max(retracted) AS withdrawn, ifNull(toInt64OrNull(substring(subject, 22)), -1) AS serial,
         if(b.first_serial >= 0, b.first_serial, serial) AS low, if(b.first_serial >= 0, b.last_serial, serial) AS high
  FROM bindings AS b
  WHERE relation = 'lot' AND action = 'ADD' AND at <= {as_of:DateTime64(6, 'UTC')}
    AND (subject = concat('01/', {gtin:String}) OR startsWith(subject, concat('01/', {gtin:String}, '/21/'))
         AND match(subject, '/21/(0|[1-9][0-9]{0,17})\\z'))
  GROUP BY object, subject, b.first_serial, b.last_serial, at, event
)
WHERE NOT withdrawn AND low <= {last:Int64} AND high >= {first:Int64}
ORDER BY lot, first_serial
