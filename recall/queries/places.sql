-- Units of a lot by where they are now.
SELECT location, disposition,
       count() AS items,
       uniqExactIf(path[1], notEmpty(path)) AS logistic,
       arraySort(groupUniqArray(toString(evidence))) AS evidence,
       max(last_at) AS newest
FROM unit_places
WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
GROUP BY location, disposition
ORDER BY items DESC, location
