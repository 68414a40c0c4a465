-- The processes that took, or made, units that they name, and tell no place: these units may be of any lot.
SELECT DISTINCT process FROM transformations
WHERE lot_key = sipHash64('') AND lot = '' AND location = '' AND side = {side:String} AND at <= {as_of:DateTime64(6, 'UTC')}
