-- Processes on one side of which any of these lots is, or was, named: whether it still is, their sides say.
SELECT DISTINCT process
FROM transformations
WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
  AND side = {side:String} AND at <= {as_of:DateTime64(6, 'UTC')}
