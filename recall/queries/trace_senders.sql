-- Between whom a document line went, as its events say.
SELECT document, line, event, any(toString(from_party)) AS sender, any(toString(from_location)) AS origin,
       any(toString(to_party)) AS receiver
FROM (
  SELECT * FROM document_lines
  WHERE document IN {documents:Array(String)} AND at <= {as_of:DateTime64(6, 'UTC')}
  ORDER BY retracted DESC, recorded_at DESC
  LIMIT 1 BY document, line, event, lot, uom
)
WHERE NOT retracted
GROUP BY document, line, event
