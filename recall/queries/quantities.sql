-- Class-level goods of a lot by location: what arrived there less what left.
SELECT location, disposition, uom, sum(change) AS amount, sum(labels) AS cases,
       arraySort(groupUniqArray(toString(evidence))) AS evidence, max(at) AS newest
FROM (
  SELECT location, disposition, uom, amount AS change, toInt64(cases) AS labels, evidence, at
  FROM lot_quantities
  WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND location != ''
  UNION ALL
  SELECT source AS location, source_disposition AS disposition, uom, -amount AS change, -toInt64(cases) AS labels, evidence, at
  FROM lot_quantities
  WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND source != ''
)
GROUP BY location, disposition, uom
HAVING amount != 0
ORDER BY amount DESC, location
