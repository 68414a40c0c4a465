-- Who received some of a lot, and on which document line: units by declared sightings, amounts by quantity facts.
SELECT party, document, line, sum(units) AS items, sum(amounts) AS amount, max(unit_of_measure) AS uom,
       sum(labels) AS cases, min(at) AS first_at
FROM (
  SELECT party, document, line, uniqExact(tag) AS units, toDecimal64(0, 6) AS amounts, '' AS unit_of_measure,
         toInt64(0) AS labels, min(first_at) AS at
  FROM lot_facts
  WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
    AND NOT retracted AND evidence = 'declared' AND biz_step IN ('shipping', 'departing', 'retail_selling') AND party != ''
  GROUP BY party, document, line
  UNION ALL
  SELECT party, document, line, 0 AS units, sum(amount) AS amounts, uom AS unit_of_measure, sum(toInt64(cases)) AS labels,
         min(at) AS at
  FROM lot_quantities
  WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
    AND biz_step IN ('shipping', 'departing', 'retail_selling') AND party != ''
  GROUP BY party, document, line, uom
)
GROUP BY party, document, line
ORDER BY party, document, line
