-- Class-level goods of a lot: each way that some of it went, summed over the facts that had happened.
SELECT source, source_disposition, location, disposition, uom, effect, biz_step, toString(evidence) AS evidence, document, line,
       if(party = '', location, party) AS receiver, party != '' AS named, sum(amount) AS amount, sum(toInt64(cases)) AS cases,
       min(at) AS since, max(at) AS newest
FROM lot_quantities
WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND at <= {as_of:DateTime64(6, 'UTC')}
GROUP BY source, source_disposition, location, disposition, uom, effect, biz_step, evidence, document, line, party
