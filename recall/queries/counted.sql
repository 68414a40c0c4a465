-- All entries at the places of a lot that were counted: from them follow the differences of the counts.
SELECT place, state AS disposition, unit AS uom, at, recorded_at, identity, counted, change, labels, document
FROM (
  SELECT *, max(counted) OVER (PARTITION BY lot_key, lot, place, state, unit) AS was_counted
  FROM quantity_entries
  WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND at <= {as_of:DateTime64(6, 'UTC')}
)
WHERE was_counted
ORDER BY at, counted, recorded_at, identity
