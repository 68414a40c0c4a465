-- Units of lots by the document line that they were sent on and who receives: each once, at its first sending on it.
SELECT lot, if(party = '', location, party) AS receiver, document, line, location, uniqExact(tag) AS items,
       groupUniqArrayIf(path[1], notEmpty(path)) AS pallets, min(first_at) AS since, max(first_at) AS newest
FROM (
  SELECT lot, tag, toString(location) AS location, document, line, toString(party) AS party, path, first_at,
         bitTest(marks, 3) AS retracted
  FROM lot_sightings
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    AND evidence = 'declared' AND biz_step IN ('shipping', 'departing', 'retail_selling')
  ORDER BY lot_key, tag, read_point, slot, lane, origin, path,
           version DESC, binding DESC, relabelled DESC, bitTest(marks, 3) DESC
  LIMIT 1 BY lot_key, lot, tag, read_point, slot, lane, origin, path
)
WHERE NOT retracted AND first_at <= {as_of:DateTime64(6, 'UTC')} AND (party != '' OR document != '')
  AND NOT startsWith(tag, '02/')
  AND (NOT {part:Bool} OR tag IN {units:Array(String)} OR (startsWith(tag, concat(substring(lot, 1, 17), '/21/'))
      AND match(tag, '/21/(0|[1-9][0-9]{0,17})\\z')
      AND arrayExists((low, high) -> toInt64OrZero(substring(tag, 22)) BETWEEN low AND high,
                      {firsts:Array(Int64)}, {lasts:Array(Int64)})))
GROUP BY lot, receiver, document, line, location
ORDER BY lot, receiver, document, line, location
