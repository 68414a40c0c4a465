-- Class-level goods of lots: how much was made, or came without anybody having made it here.
SELECT lot, toString(uom) AS uom,
       toDecimal128(sumIf(amount, effect = 'made') + sumIf(amount, effect = 'moved' AND source = '' AND location != ''), 6)
         AS amount
FROM lot_quantities
WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
  AND at <= {as_of:DateTime64(6, 'UTC')}
GROUP BY lot_key, lot, uom
ORDER BY lot, uom
