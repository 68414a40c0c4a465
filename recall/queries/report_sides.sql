-- The records that say what went into processes, or came out of them.
SELECT process, event, toString(side) AS side, lot, units, items, amount, toString(uom) AS uom,
       toString(location) AS location, toString(biz_step) AS biz_step, document, at, source_partition, source_offset
FROM (
  SELECT * FROM process_sides
  WHERE process IN {processes:Array(String)} AND at <= {as_of:DateTime64(6, 'UTC')}
  ORDER BY process, lot_key, lot, event, side, uom, part, retracted DESC
  LIMIT 1 BY process, lot_key, lot, event, side, uom, part
)
WHERE NOT retracted
ORDER BY at, event, side, lot, uom, part
