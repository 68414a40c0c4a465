-- Processes that name units, of which some may be of these lots, or be, or hold, one of these units. Where an event told
-- its place, the units that it touched have it among their sightings, also when it named only what they were inside.
SELECT DISTINCT process
FROM transformation_sides
WHERE lot_key = sipHash64('') AND lot = '' AND side = {side:String} AND at <= {as_of:DateTime64(6, 'UTC')}
  AND (hasAny(units, {units:Array(String)})
       OR notEmpty({lots:Array(String)})
          AND (location = ''
               OR event IN (SELECT event FROM lot_sightings
                            WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND event != '')))
