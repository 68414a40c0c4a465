-- The lots that were made at a place within a window: as the events say that made some there, or that tell no place of a
-- lot that others place there, or whose site a person said; of a lot of which no event tells, by its day of production.
-- `sure`: its line is the one that is asked for.
SELECT lot, {line:String} = '' OR countIf(line = {line:String}) > 0 AS sure
FROM (
  SELECT *, location IN {locations:Array(String)} AS here, lowerUTF8(site) = lowerUTF8({site:String}) AS said,
         ifNull(units, 0) > 0 OR ifNull(amount, 0) > 0 AS makes,
         makes AND at >= {since:DateTime64(6, 'UTC')} AND at < {until:DateTime64(6, 'UTC')} AS made_then
  FROM (
    SELECT * FROM lots ORDER BY lot_key, event, retracted DESC, recorded_at DESC LIMIT 1 BY lot_key, lot, event
  )
  WHERE NOT retracted AND at <= {as_of:DateTime64(6, 'UTC')}
)
GROUP BY lot_key, lot
HAVING countIf(here OR said) > 0
   AND (countIf(made_then AND (here OR location = '')) > 0
        OR countIf(said) > 0 AND countIf(made_then) > 0
        OR countIf(makes) = 0
           AND countIf(produced_at < {until:DateTime64(6, 'UTC')}
                       AND if(produced_at = toStartOfDay(assumeNotNull(produced_at)), addDays(produced_at, 1) > {since:DateTime64(6, 'UTC')},
                              produced_at >= {since:DateTime64(6, 'UTC')})) > 0)
   AND ({line:String} = '' OR countIf(line = {line:String}) > 0 OR countIf(line != '') = 0)
ORDER BY lot
