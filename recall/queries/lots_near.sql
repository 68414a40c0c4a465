-- Lot codes most like the one that was not found.
SELECT lot, code, min(least(damerauLevenshteinDistance(code, {code:String}),
                        damerauLevenshteinDistance(lower(code), lower({code:String})) + 1)) AS distance
FROM (SELECT DISTINCT lot, code FROM lots)
GROUP BY lot, code
HAVING distance <= greatest(2, intDiv(lengthUTF8({code:String}), 3)) OR positionCaseInsensitiveUTF8(code, {code:String}) > 0
ORDER BY distance, lot
LIMIT 5
