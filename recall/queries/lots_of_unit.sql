-- The lots that a unit is bound to.
SELECT DISTINCT object AS lot FROM bindings
WHERE relation = 'lot' AND NOT retracted AND (
  subject = {tag:String}
  OR ({class:String} != '' AND subject = {class:String}
      AND first_serial <= {serial:Int64} AND last_serial >= {serial:Int64} AND first_serial >= 0))
ORDER BY lot
