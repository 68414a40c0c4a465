-- How much of a class-level lot was made: what arrived from nowhere.
SELECT uom, sum(amount) AS amount, sum(toInt64(cases)) AS cases
FROM lot_quantities
WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String} AND source = '' AND biz_step = 'commissioning'
GROUP BY uom
