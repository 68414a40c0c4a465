-- What moved of a lot, oldest first: arrivals of units with where they came from, and facts of class-level goods.
SELECT * FROM (
  SELECT at, tag AS subject, toString(source) AS source, toString(location) AS location,
         toString(disposition) AS disposition, toString(read_point) AS read_point, toString(evidence) AS evidence,
         toDecimal128(1, 6) AS amount, 'items' AS uom, '' AS document, '' AS line, '' AS event
  FROM movements
  WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND NOT startsWith(tag, '02/')
  UNION ALL
  SELECT q.at AS at, lot AS subject, toString(source) AS source, toString(location) AS location,
         toString(disposition) AS disposition, '' AS read_point, toString(evidence) AS evidence,
         toDecimal128(amount, 6) AS amount, toString(uom) AS uom, document, line, event
  FROM lot_quantities AS q
  WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
)
WHERE at <= {as_of:DateTime64(6, 'UTC')}
ORDER BY at, subject, location, event, uom
LIMIT {limit:UInt32}
