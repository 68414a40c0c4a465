-- Which of these lots were told that their item rows have too little of some units, or too much. Of units that only ended
-- they have what is right, but for what locate had dropped by then: that is what it tells their lot.
SELECT DISTINCT lot FROM unit_lots
WHERE lot_key IN (SELECT sipHash64(arrayJoin({lots:Array(String)}))) AND lot IN {lots:Array(String)}
  AND (horizon_us >= 0 OR arrayMap(life -> life.3, lives) != [lot])
