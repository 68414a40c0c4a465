-- Where the units of many lots are, counted (without the portions that logistic units hold of them by class): by the one
-- fact of each unit's newest slot. Where there are several, or that one places nothing, all facts of the unit are to be
-- weighed: `placed` is false. (Numbers compare quicker than arrays: deeper versions are left to that, too.)
SELECT of AS lot, placed, toString(last.1) AS location, toString(last.2) AS disposition, count() AS items
FROM (
  SELECT toString(any(lot)) AS of,
         argMax((location, disposition, state = 'observed' AND NOT bitTest(marks, 3)),
                (slot, version[1], version[2], version[3], version[4], binding, relabelled, bitTest(marks, 3))) AS last,
         last.3 AND max(length(version)) <= 4
           AND toUInt64(max(above + fact)) = bitNot(toUInt64(max(above + bitNot(fact)))) AS placed
  FROM (
    SELECT *, cityHash64(read_point, lane, origin, path) AS fact, bitShiftLeft(toUInt128(slot), 64) AS above
    FROM lot_sightings
    WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
      AND NOT startsWith(tag, '02/')
  )
  GROUP BY lot_key, tag
)
GROUP BY of, placed, location, disposition
ORDER BY of, items DESC, location, disposition
