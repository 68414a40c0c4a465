-- Every version of what was said of products, locations and parties, in order of its receipt.
SELECT subject, event, error AS taken_back, name, phone, street, city, state, zip, country, recorded_at,
       source_partition AS partition, source_offset AS offset
FROM masters
WHERE subject IN {subjects:Array(String)}
ORDER BY subject, recorded_at, event, error, source_offset
LIMIT 1 BY subject, event, error
