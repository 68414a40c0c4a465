-- Every quantity fact of lots that put some of them into one of these logistic units, or took some out.
SELECT lot, toString(source) AS source, toString(source_disposition) AS source_disposition,
       toString(location) AS location, toString(disposition) AS disposition, toString(uom) AS uom,
       toString(effect) AS effect, document, amount, toInt64(cases) AS cases, at, recorded_at, identity
FROM lot_quantities
WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
  AND at <= {as_of:DateTime64(6, 'UTC')} AND (source IN {units:Array(String)} OR location IN {units:Array(String)})
ORDER BY at, identity
