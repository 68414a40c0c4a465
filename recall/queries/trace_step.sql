-- Every side of the processes that took, or made, any of these lots or units, as far as the named ones tell: units that a
-- process names may be of other lots, and sides be taken back, so that some processes are too many. Where an event told
-- its place, the units that it touched have it among their sightings, also when it named only what they were inside.
WITH met AS (
  SELECT process FROM transformations
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    AND side = {side:String} AND at <= {as_of:DateTime64(6, 'UTC')}
  UNION ALL
  SELECT process FROM transformations
  WHERE lot_key = sipHash64('') AND lot = '' AND side = {side:String} AND at <= {as_of:DateTime64(6, 'UTC')}
    AND event IN (SELECT event FROM lot_events
                  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)})
  UNION ALL
  SELECT process FROM transformations
  WHERE lot_key = sipHash64('') AND lot = '' AND location = '' AND side = {side:String}
    AND at <= {as_of:DateTime64(6, 'UTC')} AND notEmpty({lots:Array(String)})
  UNION ALL
  SELECT process FROM transformations
  WHERE lot_key = sipHash64('') AND lot = '' AND side = {side:String} AND at <= {as_of:DateTime64(6, 'UTC')}
    AND notEmpty({units:Array(String)}) AND hasAny(units, {units:Array(String)})
)
SELECT process, event, toString(side) AS side, lot, units, items, amount, toString(uom) AS uom,
       toString(location) AS location, toString(biz_step) AS biz_step, document, at, part
FROM (
  -- the filter stands below the choice of versions: an event has one process
  SELECT * FROM process_sides
  WHERE process IN (SELECT process FROM met) AND at <= {as_of:DateTime64(6, 'UTC')}
  ORDER BY process, lot_key, lot, event, side, uom, part, retracted DESC
  LIMIT 1 BY process, lot_key, lot, event, side, uom, part
)
WHERE NOT retracted
ORDER BY at, event, side, lot, uom, part
