-- The sighting that says where each unit of a lot is (sent: every sighting that says that it was sent), with its record.
SELECT tag, read_point, toString(how) AS evidence, biz_step, event, document, line, receiver, location, disposition,
       first_at, path, source_partition, source_offset
FROM (
  SELECT tag, toString(read_point) AS read_point, slot, lane, origin, path, toString(location) AS location,
         toString(disposition) AS disposition, evidence AS how, first_at, last_at, event, toString(biz_step) AS biz_step,
         document, line, if(party = '', toString(location), toString(party)) AS receiver, party, marks, state,
         source_partition, source_offset,
         max(lane = '' AND NOT bitTest(marks, 3)) OVER (PARTITION BY tag, slot, read_point) AS has_main
  FROM (
    SELECT * FROM lot_sightings
    WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND startsWith(tag, '02/') = {portions:Bool}
      AND (NOT {part:Bool} OR tag IN {units:Array(String)} OR (startsWith(tag, concat(substring(lot, 1, 17), '/21/'))
        AND match(tag, '/21/(0|[1-9][0-9]{0,17})\\z')
        AND arrayExists((low, high) -> toInt64OrZero(substring(tag, 22)) BETWEEN low AND high,
                        {firsts:Array(Int64)}, {lasts:Array(Int64)})))
    ORDER BY lot_key, tag, read_point, slot, lane, origin, path,
             version DESC, binding DESC, relabelled DESC, bitTest(marks, 3) DESC
    LIMIT 1 BY tag, read_point, slot, lane, origin, path
  )
  WHERE first_at <= {as_of:DateTime64(6, 'UTC')}
)
WHERE NOT bitTest(marks, 3) AND if({sent:Bool},
  how = 'declared' AND biz_step IN ('shipping', 'departing', 'retail_selling') AND (party != '' OR document != ''),
  state = 'observed' AND NOT (startsWith(lane, 'late:') AND has_main))
ORDER BY tag, slot DESC, how, last_at DESC, read_point DESC, lane DESC, origin DESC, path DESC
LIMIT {most_each:UInt32} BY tag
