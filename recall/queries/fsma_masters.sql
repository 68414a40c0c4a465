-- What was said last of locations, parties and products.
SELECT subject, name, phone, street, city, state, zip, country
FROM (
  SELECT * FROM (SELECT * FROM masters WHERE subject IN {subjects:Array(String)}
                 ORDER BY subject, event, error DESC, recorded_at DESC LIMIT 1 BY subject, event)
  WHERE NOT error
  ORDER BY recorded_at DESC, event DESC
  LIMIT 1 BY subject
)
ORDER BY subject
