-- Units that were at locations at any time within a window: seen there, or there before it and not elsewhere when it
-- began; what was only on its way there was not.
SELECT lot, tag
FROM (
  SELECT lot_key, lot, tag, location, disposition, first_at, last_at,
         leadInFrame(first_at, 1, toDateTime64('2200-01-01 00:00:00', 6, 'UTC')) OVER (
           PARTITION BY lot_key, lot, tag ORDER BY slot, evidence DESC, last_at, read_point
           ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS gone_at
  FROM (
    SELECT * FROM lot_facts_at(as_of = {as_of:DateTime64(6, 'UTC')})
    WHERE places AND lot_key IN (
      SELECT lot_key FROM lot_sightings
      WHERE location IN {locations:Array(String)} AND first_at < {until:DateTime64(6, 'UTC')}
        AND ({lot:String} = '' OR lot_key = sipHash64({lot:String})))
    ORDER BY evidence, last_at DESC, lane DESC, origin DESC, path DESC
    LIMIT 1 BY lot_key, lot, tag, slot, read_point
  )
)
WHERE location IN {locations:Array(String)} AND disposition != 'in_transit' AND ({lot:String} = '' OR lot = {lot:String})
  AND first_at < {until:DateTime64(6, 'UTC')}
  AND (last_at >= {since:DateTime64(6, 'UTC')} OR gone_at > {since:DateTime64(6, 'UTC')})
GROUP BY lot, tag
