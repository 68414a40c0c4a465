-- Every side of these processes.
SELECT process, event, toString(side) AS side, lot, units, items, amount, toString(uom) AS uom,
       toString(location) AS location, toString(biz_step) AS biz_step, document, at
FROM transformation_sides
WHERE process IN {processes:Array(String)} AND at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY at, event, side, lot, uom, part
