-- The events that brought lots into being, with what they say as they were sent.
SELECT lot, said.event AS event, at, location, units, amount, uom, description, sent.text AS text,
       toString(sent.biz_step) AS biz_step, toString(sent.event_type) AS event_type
FROM (
  SELECT lot, event, at, toString(location) AS location, units, amount, toString(uom) AS uom, description
  FROM (
    SELECT * FROM lots
    WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    ORDER BY lot_key, event, retracted DESC, recorded_at DESC
    LIMIT 1 BY lot_key, lot, event
  )
  WHERE NOT retracted AND at <= {as_of:DateTime64(6, 'UTC')}
) AS said
INNER JOIN (
  SELECT event, text, biz_step, event_type FROM events
  WHERE NOT error AND action = 'ADD' AND event_type = 'ObjectEvent' AND event IN (
    SELECT event FROM lots
    WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)})
  LIMIT 1 BY event
) AS sent ON sent.event = said.event
ORDER BY at, lot, event
