-- When each of these units came out of a process: a container that is filled again holds other goods.
SELECT unit, arraySort(groupUniqArray(at)) AS fills
FROM (
  SELECT arrayJoin(units) AS unit, at FROM transformation_sides
  WHERE lot_key = sipHash64('') AND lot = '' AND side = 'output' AND hasAny(units, {units:Array(String)})
    AND at <= {as_of:DateTime64(6, 'UTC')}
)
WHERE unit IN {units:Array(String)}
GROUP BY unit
