-- Documents as they were written, each in its newest version.
SELECT document, event, at, toString(from_party) AS from_party, toString(to_party) AS to_party, references, cancelled
FROM documents
WHERE document IN {documents:Array(String)} AND at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY document, recorded_at DESC, event DESC
LIMIT 1 BY document
