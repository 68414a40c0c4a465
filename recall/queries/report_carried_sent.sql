-- With which shipments the logistic units went out that held class-level goods of lots.
SELECT lot, substring(tag, length(concat('02/', substring(lot, 4), '/')) + 1) AS unit,
       if(party = '', toString(location), toString(party)) AS receiver, document, line, min(first_at) AS sent_at
FROM lot_versions
WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
  AND startsWith(tag, '02/') AND NOT retracted AND biz_step IN ('shipping', 'departing', 'retail_selling')
  AND (party != '' OR document != '') AND first_at <= {as_of:DateTime64(6, 'UTC')}
GROUP BY lot, unit, receiver, document, line
ORDER BY lot, unit, receiver, document, line
