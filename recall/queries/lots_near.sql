-- Lots whose names are most like the one that was not found.
SELECT lot, min(distance) AS nearest
FROM (
  SELECT lot, least(damerauLevenshteinDistance(name, {code:String}),
                    damerauLevenshteinDistance(lower(name), lower({code:String})) + 1) AS distance,
         distance <= greatest(2, intDiv(lengthUTF8({code:String}), 3))
           OR positionCaseInsensitiveUTF8(name, {code:String}) > 0 AS near
  FROM lot_names
)
WHERE near
GROUP BY lot
ORDER BY nearest, lot
LIMIT 5
