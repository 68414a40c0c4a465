-- What was ever said of the lines of some documents in one business step: each event with its text, and whether it was
-- declared wrong.
SELECT document, line, lot, event, wrong, text
FROM (
  SELECT document, line, lot, event, max(retracted) AS wrong
  FROM document_lines
  WHERE document IN {documents:Array(String)} AND biz_step = {biz_step:String} AND lot != ''
  GROUP BY document, line, lot, event
) AS said
INNER JOIN (
  SELECT event, any(text) AS text FROM events
  WHERE NOT error AND event IN (
    SELECT event FROM document_lines WHERE document IN {documents:Array(String)} AND biz_step = {biz_step:String})
  GROUP BY event
) AS sent USING (event)
ORDER BY document, line, lot, event
