-- The processes that took, or made, any of these units by name.
SELECT DISTINCT process FROM transformations
WHERE lot_key = sipHash64('') AND lot = '' AND side = {side:String} AND at <= {as_of:DateTime64(6, 'UTC')}
  AND hasAny(units, {units:Array(String)})
