-- With which shipments the logistic units went out that held class-level goods of a lot.
SELECT substring(tag, length(concat('02/', substring({lot:String}, 4), '/')) + 1) AS unit,
       if(party = '', toString(location), party) AS receiver, document, line, min(first_at) AS sent_at
FROM lot_versions
WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND startsWith(tag, '02/') AND NOT retracted
  AND biz_step IN ('shipping', 'departing', 'retail_selling') AND (party != '' OR document != '')
  AND first_at <= {as_of:DateTime64(6, 'UTC')}
GROUP BY unit, receiver, document, line
ORDER BY unit, receiver, document, line
