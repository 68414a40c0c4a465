-- Units of lots by where they are (without the portions that logistic units hold by class): how many, in which logistic
-- units, how that is known, and where they were seen.
SELECT of AS lot, toString(last.1) AS location, toString(last.2) AS disposition, count() AS items,
       sumMap(map(toString(last.3), toUInt64(1))) AS evidence, countIf(NOT last.7) AS provisional,
       groupUniqArrayIf(last.6[1], notEmpty(last.6)) AS pallets, groupUniqArrayArray(arrayPopFront(last.6)) AS cases,
       groupUniqArray(toString(last.5)) AS read_points, min(seen) AS since, max(last.4) AS newest
FROM (
  SELECT toString(lot) AS of, min(first_at) AS seen,
         argMax((location, disposition, evidence, last_at, read_point, path, final),
                (slot, -toInt8(evidence), last_at, read_point, lane, origin, path)) AS last
  FROM lot_facts_at(as_of = {as_of:DateTime64(6, 'UTC')})
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
    AND NOT startsWith(tag, '02/')
  AND (NOT {part:Bool} OR tag IN {units:Array(String)} OR (startsWith(tag, concat(substring(lot, 1, 17), '/21/'))
      AND match(tag, '/21/(0|[1-9][0-9]{0,17})\\z')
      AND arrayExists((low, high) -> toInt64OrZero(substring(tag, 22)) BETWEEN low AND high,
                      {firsts:Array(Int64)}, {lasts:Array(Int64)})))
  AND places
  GROUP BY lot_key, lot, tag
)
GROUP BY lot, location, disposition
ORDER BY lot, location, disposition
