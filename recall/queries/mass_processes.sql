-- Processes of which any record names these documents (orders); one that was taken back is among them.
SELECT DISTINCT process
FROM transformations
WHERE at <= {as_of:DateTime64(6, 'UTC')} AND document IN {documents:Array(String)}
ORDER BY process
