-- Units of a lot, counted by where they are now, how that is known, and which shipments they went out with.
SELECT place.1 AS location, place.2 AS disposition, toString(place.3) AS evidence, place.6 AS final, placed, sent,
       count() AS items, groupUniqArrayIf(place.5[1], notEmpty(place.5)) AS carriers,
       max(place.4) AS newest, min(since) AS since
FROM (
  SELECT tag, min(first_at) AS since, max(places) AS placed,
         argMaxIf((location, disposition, evidence, last_at, path, final),
                  (slot, -toInt8(evidence), last_at, read_point, lane, origin, path), places) AS place,
         arraySort(groupUniqArrayIf(
           (if(party = '', location, party), document, line, first_at),
           evidence = 'declared' AND NOT retracted AND biz_step IN ('shipping', 'departing', 'retail_selling')
             AND (party != '' OR document != ''))) AS sent
  FROM lot_facts
  WHERE lot_key = sipHash64({lot:String}) AND lot = {lot:String}
  GROUP BY tag
)
WHERE placed OR notEmpty(sent)
GROUP BY location, disposition, evidence, final, sent, placed
