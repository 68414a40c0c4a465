-- Locations of the newest mapping: the one received last.
SELECT id, name, site, time_zone, gln, kind FROM locations
WHERE (recorded_at, mapping) IN (SELECT recorded_at, mapping FROM locations ORDER BY recorded_at DESC, mapping DESC LIMIT 1)
ORDER BY site, id
LIMIT 1 BY id
