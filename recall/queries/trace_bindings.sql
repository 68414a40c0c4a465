-- What holds of the lots of units, of what is inside them, and of what they are inside.
SELECT kind, subject, first_serial, last_serial, object, deed, at, event
FROM (
  SELECT toString(relation) AS kind, subject, first_serial, last_serial, object, toString(action) AS deed, at, event,
         max(retracted) AS withdrawn
  FROM bindings
  WHERE at <= {as_of:DateTime64(6, 'UTC')} AND (
    subject IN {units:Array(String)}
    OR (relation = 'lot' AND subject IN {classes:Array(String)}
        AND first_serial <= {high:Int64} AND last_serial >= {low:Int64} AND first_serial >= 0))
  GROUP BY relation, subject, first_serial, last_serial, object, action, at, event
)
WHERE NOT withdrawn
ORDER BY at, deed = 'ADD', event, object
