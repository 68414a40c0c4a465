-- Which of these lots are known by their codes.
SELECT DISTINCT lot FROM lot_names
WHERE name IN (SELECT decodeURLComponent(substring(arrayJoin({lots:Array(String)}), 22))) AND lot IN {lots:Array(String)}
