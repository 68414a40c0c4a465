-- Processes on one side of which any of these lots is named. Filters stand below the choice of versions, where the key
-- serves them: what they name is part of the key.
SELECT DISTINCT process
FROM (
  SELECT process, retracted FROM transformations
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    AND side = {side:String} AND at <= {as_of:DateTime64(6, 'UTC')}
  ORDER BY lot_key, lot, event, side, uom, part, retracted DESC
  LIMIT 1 BY lot_key, lot, event, side, uom, part
)
WHERE NOT retracted
