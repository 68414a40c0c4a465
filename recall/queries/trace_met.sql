-- The processes that took, or made, any of these lots, as far as the named ones tell: units that a process names may be of
-- other lots, and sides be taken back, so that some are too many. Where an event told its place, the units that it touched
-- have it among their sightings, also when it named only what they were inside.
SELECT DISTINCT process FROM transformations
WHERE side = {side:String} AND at <= {as_of:DateTime64(6, 'UTC')} AND (
  (lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)})
  OR (lot_key = sipHash64('') AND lot = '' AND event IN (
    SELECT event FROM lot_events
    WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)})))
