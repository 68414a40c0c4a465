-- An alert is about what is held by one hold in one top-level tag during one visit: of several lots it is one row.
CREATE OR REPLACE VIEW ${database}.open_alerts ${on_cluster} (
  alert          String COMMENT 'key of the alert: of hold, tag, read point and slot',
  lots           Array(String) COMMENT 'lot keys, sorted',
  state          String COMMENT 'raised: provisional; confirmed',
  cause          String COMMENT 'held, recalled, expired',
  hold           String COMMENT 'name of the hold; empty: expired',
  reason         String COMMENT 'of the hold',
  tag            String COMMENT 'the top-level tag: the pallet, or the item itself',
  read_point     String COMMENT 'where it was seen',
  location       String COMMENT 'where the goods are by that',
  disposition    String COMMENT 'CBV word, where an event said so',
  party          String COMMENT 'who receives or has them, where an event said so',
  evidence       String COMMENT 'how it is known: confirmed, inferred, declared, probabilistic',
  units          UInt64 COMMENT 'how many units of the lots it is about',
  inside         Array(String) COMMENT 'the first 200 of them of each lot, sorted',
  first_at       DateTime64(6, 'UTC') COMMENT 'first seen during the visit',
  last_at        DateTime64(6, 'UTC') COMMENT 'last seen, when it was told last',
  recorded_at    DateTime64(6, 'UTC') COMMENT 'receive stamp of the newest input it rests on'
) AS
SELECT t.alert AS alert, arraySort(groupArray(t.lot)) AS lots,
       if(has(groupArray(toString(t.state)), 'confirmed'), 'confirmed', 'raised') AS state,
       argMax(toString(t.cause), t.newest) AS cause, any(t.hold) AS hold, argMax(t.reason, t.newest) AS reason,
       any(t.tag) AS tag, any(toString(t.read_point)) AS read_point, argMax(t.location, t.newest) AS location,
       argMax(toString(t.disposition), t.newest) AS disposition, argMax(t.party, t.newest) AS party,
       argMax(toString(t.evidence), t.newest) AS evidence, sum(t.units) AS units,
       arraySort(arrayFlatten(groupArray(t.inside))) AS inside, min(t.first_at) AS first_at, max(t.last_at) AS last_at,
       max(t.recorded_at) AS recorded_at
FROM (
  SELECT *, (last_at, recorded_at, lot) AS newest FROM (
    SELECT * FROM ${database}.alerts ORDER BY version DESC, first DESC LIMIT 1 BY lot_key, alert
  )
  WHERE state IN ('raised', 'confirmed')
) AS t
GROUP BY t.alert;
