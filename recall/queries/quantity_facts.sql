-- Every quantity fact of a lot that had happened, by itself.
SELECT source, source_disposition, location, disposition, uom, effect, biz_step, toString(evidence) AS evidence, document,
       amount, toInt64(cases) AS cases, at, at AS since, at AS newest, recorded_at, identity
FROM lot_quantities
WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY at, identity
