-- The events that say anything of a lot, as they were sent; an error declaration stands beside its event.
SELECT event, toString(event_type) AS event_type, at, toString(action) AS action, toString(biz_step) AS biz_step, error,
       toString(source) AS source, recorded_at, text, source_partition AS partition, source_offset AS offset
FROM events
WHERE at <= {as_of:DateTime64(6, 'UTC')} AND event IN (
  SELECT event FROM lots WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
  UNION DISTINCT
  SELECT event FROM quantities WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
  UNION DISTINCT
  SELECT event FROM transformations WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
  UNION DISTINCT
  SELECT event FROM lot_sightings WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND event != '')
ORDER BY at, event, error, source_offset
LIMIT 1 BY event, error
LIMIT {limit:UInt32}
