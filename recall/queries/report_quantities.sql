-- Every quantity fact of lots that had happened, by itself, with the record that brought it.
SELECT lot, toString(source) AS source, toString(source_disposition) AS source_disposition,
       toString(location) AS location, toString(disposition) AS disposition, toString(uom) AS uom,
       toString(effect) AS effect, toString(biz_step) AS biz_step, toString(evidence) AS evidence, document, line,
       if(party = '', location, party) AS receiver, party != '' AS named, amount, toInt64(cases) AS cases, at,
       at AS since, at AS newest, recorded_at, identity, event, toString(read_point) AS read_point, source_partition,
       source_offset
FROM (
  SELECT * FROM quantities
  WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
  ORDER BY lot_key, identity, retracted DESC, revision DESC, recorded_at DESC, event DESC
  LIMIT 1 BY lot_key, lot, identity
)
WHERE NOT retracted AND at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY lot, at, identity
