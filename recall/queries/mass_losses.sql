-- What was destroyed or corrected on documents (orders).
SELECT lot, toString(effect) AS effect, toString(source) AS source, amount, toString(uom) AS uom, q.at AS at, event
FROM lot_quantities AS q
WHERE lot_key IN (
    SELECT lot_key FROM quantities
    WHERE document IN {documents:Array(String)} AND effect IN ('destroyed', 'adjusted'))
  AND document IN {documents:Array(String)} AND effect IN ('destroyed', 'adjusted')
  AND q.at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY at, lot, event
