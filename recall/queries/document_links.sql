-- Which documents others are linked to: one event names both, or one refers to the other in its newest version.
SELECT document, linked, via, event FROM (
SELECT here.document AS document, there.document AS linked, 'event' AS via, here.event AS event
FROM (
  SELECT DISTINCT document, event FROM document_entries
  WHERE document IN {documents:Array(String)} AND at <= {as_of:DateTime64(6, 'UTC')}
) AS here
INNER JOIN (
  SELECT DISTINCT document, event FROM document_lines
  WHERE event IN (SELECT event FROM document_lines WHERE document IN {documents:Array(String)})
) AS there ON here.event = there.event
WHERE linked != document
UNION DISTINCT
SELECT document, linked, 'reference' AS via, event
FROM (
  SELECT document, arrayJoin(references) AS linked, event FROM (
    SELECT * FROM documents WHERE document IN {documents:Array(String)} AND at <= {as_of:DateTime64(6, 'UTC')}
    ORDER BY document, recorded_at DESC, event DESC LIMIT 1 BY document)
  WHERE NOT cancelled
  UNION ALL
  SELECT arrayJoin(arrayIntersect(references, {documents:Array(String)})) AS document, other AS linked, event FROM (
    SELECT document AS other, references, event, cancelled FROM documents
    WHERE document IN (SELECT document FROM documents WHERE hasAny(references, {documents:Array(String)}))
      AND at <= {as_of:DateTime64(6, 'UTC')}
    ORDER BY other, recorded_at DESC, event DESC LIMIT 1 BY other)
  WHERE NOT cancelled
)
WHERE linked != document
)
ORDER BY document, linked, via, event
