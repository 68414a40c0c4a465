-- What is on documents, line by line: as events and the newest written version say.
SELECT document, line, event, toString(biz_step) AS biz_step, at, lot, units, amount, toString(uom) AS uom,
       toString(from_party) AS from_party, toString(to_party) AS to_party, toString(from_location) AS from_location,
       toString(to_location) AS to_location
FROM document_entries
WHERE document IN {documents:Array(String)} AND at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY document, length(line), line, at, lot, event
LIMIT {limit:UInt32}
