-- The events that name any of these documents, with every document that each of them names; `holds` where a line of it
-- was not taken back and had happened.
SELECT document, event, max(NOT withdrawn AND happened <= {as_of:DateTime64(6, 'UTC')}) AS holds
FROM (
  SELECT document, event, max(retracted) AS withdrawn, any(at) AS happened
  FROM document_lines
  WHERE event IN (SELECT event FROM document_lines WHERE document IN {documents:Array(String)})
  GROUP BY document, line, event, lot, uom
)
GROUP BY document, event
