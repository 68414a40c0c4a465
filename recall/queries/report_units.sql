-- Units of lots by where they are (without the portions that logistic units hold by class): how many, in which logistic
-- units, how that is known, and where they were seen.
SELECT lot, location, disposition, count() AS items, sumMap(map(toString(how), toUInt64(1))) AS evidence,
       countIf(NOT final) AS provisional, groupUniqArrayIf(path[1], notEmpty(path)) AS pallets,
       groupUniqArrayArray(arrayPopFront(path)) AS cases, groupUniqArray(read_point) AS read_points,
       min(since) AS since, max(last_at) AS newest
FROM (
  SELECT lot, tag, toString(location) AS location, toString(disposition) AS disposition,
         evidence AS how, last_at, toString(read_point) AS read_point, path, final,
         min(first_at) OVER (PARTITION BY lot, tag) AS since
  FROM lot_facts_at(as_of = {as_of:DateTime64(6, 'UTC')})
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    AND NOT startsWith(tag, '02/')
  AND (NOT {part:Bool} OR tag IN {units:Array(String)} OR (startsWith(tag, concat(substring(lot, 1, 17), '/21/'))
      AND match(tag, '/21/(0|[1-9][0-9]{0,17})\\z')
      AND arrayExists((low, high) -> toInt64OrZero(substring(tag, 22)) BETWEEN low AND high,
                      {firsts:Array(Int64)}, {lasts:Array(Int64)})))
  AND places
  ORDER BY lot_key, lot, tag, slot DESC, how, last_at DESC, read_point DESC, lane DESC, origin DESC, path DESC
  LIMIT 1 BY lot_key, lot, tag
)
GROUP BY lot, location, disposition
ORDER BY lot, location, disposition
