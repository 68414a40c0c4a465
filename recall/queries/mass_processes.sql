-- Processes on these documents (orders), or that made any of these lots, with the documents that they are on.
SELECT DISTINCT process, document
FROM transformations
WHERE at <= {as_of:DateTime64(6, 'UTC')} AND (document IN {documents:Array(String)}
  OR (side = 'output' AND lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}))
ORDER BY process, document
