-- Locations of the newest mapping.
SELECT id, name, site, time_zone, gln, kind FROM locations
WHERE mapping = (SELECT argMax(mapping, recorded_at) FROM locations)
GROUP BY id, name, site, time_zone, gln, kind
ORDER BY site, id
