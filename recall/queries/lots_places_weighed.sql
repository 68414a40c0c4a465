-- Where units of many lots are, counted, by all their facts as for one lot: all units, or (`rest`) those of which the newest
-- slot has several facts, or one that places nothing.
SELECT toString(lot) AS lot, toString(location) AS location, toString(disposition) AS disposition, count() AS items
FROM unit_places_at(as_of = {as_of:DateTime64(6, 'UTC')})
WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
  AND NOT startsWith(tag, '02/')
  AND (NOT {rest:Bool} OR (lot_key, tag) IN (
    SELECT lot_key, tag
    FROM (
      SELECT lot_key, tag, slot, version, binding, relabelled, state = 'observed' AND NOT bitTest(marks, 3) AS places,
             marks, cityHash64(read_point, lane, origin, path) AS fact, bitShiftLeft(toUInt128(slot), 64) AS above
      FROM lot_sightings
      WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    )
    GROUP BY lot_key, tag
    HAVING NOT argMax(places, (slot, version[1], version[2], version[3], version[4], binding, relabelled, bitTest(marks, 3)))
      OR max(length(version)) > 4 OR toUInt64(max(above + fact)) != bitNot(toUInt64(max(above + bitNot(fact))))))
GROUP BY lot, location, disposition
ORDER BY lot, items DESC, location, disposition
