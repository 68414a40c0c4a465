-- The documents that a number names: in full with its type, by its number, or by the last part of a longer identifier.
SELECT DISTINCT document
FROM (
  SELECT document FROM document_lines
  UNION ALL SELECT document FROM documents
  UNION ALL SELECT arrayJoin(references) AS document FROM documents
)
WHERE document = {number:String} OR endsWith(document, concat(':', {number:String}))
ORDER BY document
LIMIT 100
