-- Every word about whose lot the units of a lot are, also of other lots.
SELECT toInt8(relation) AS kind, subject, first_serial, last_serial, object, toInt8(action) AS deed,
       toUnixTimestamp64Micro(at) AS at_us, event, toUInt8(retracted) AS gone,
       toUnixTimestamp64Micro(recorded_at) AS recorded_us, source_offset
FROM bindings
WHERE relation = 'lot' AND (
  subject = {of_class:String} OR startsWith(subject, concat({of_class:String}, '/21/'))
  OR subject IN (SELECT tag FROM lot_sightings WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}))
ORDER BY source_offset
