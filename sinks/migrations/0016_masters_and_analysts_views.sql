-- What is said of locations, parties and products: their names and addresses, as their master data events have them.
CREATE TABLE IF NOT EXISTS ${database}.masters ${on_cluster} (
  subject        String CODEC(ZSTD(1)) COMMENT 'key of a location (414/GLN), a party (417/GLN) or a product (01/GTIN)',
  event          String CODEC(ZSTD(1)) COMMENT 'hash of the event that says so',
  error          Bool COMMENT 'an error declaration took it back',
  name           String CODEC(ZSTD(1)),
  phone          String CODEC(ZSTD(1)),
  street         String CODEC(ZSTD(1)) COMMENT 'street address or coordinates',
  city           String CODEC(ZSTD(1)),
  state          String CODEC(ZSTD(1)),
  zip            String CODEC(ZSTD(1)),
  country        String CODEC(ZSTD(1)),
  recorded_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1))
) ENGINE = ${Replacing}(first)
ORDER BY (subject, event, error, recorded_at)
SETTINGS index_granularity = 256;

CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.masters_of_events ${on_cluster} TO ${database}.masters AS
SELECT if(startsWith(uri, 'https://id.gs1.org/'), substring(uri, 20), uri) AS subject, event, error,
       JSONExtractString(ilmd, if(JSONHas(ilmd, 'cbvmda:name'), 'cbvmda:name', 'cbvmda:descriptionShort')) AS name,
       JSONExtractString(ilmd, 'lotstream:phone') AS phone, JSONExtractString(ilmd, 'cbvmda:streetAddressOne') AS street,
       JSONExtractString(ilmd, 'cbvmda:city') AS city, JSONExtractString(ilmd, 'cbvmda:state') AS state,
       JSONExtractString(ilmd, 'cbvmda:postalCode') AS zip, JSONExtractString(ilmd, 'cbvmda:countryCode') AS country,
       recorded_at, source_partition, source_offset
FROM (
  SELECT event, error, recorded_at, source_partition, source_offset, JSONExtractRaw(text, 'ilmd') AS ilmd,
         arrayJoin(arrayConcat(
           JSONExtract(text, 'epcList', 'Array(String)'),
           arrayMap(element -> JSONExtractString(element, 'epcClass'), JSONExtractArrayRaw(text, 'quantityList')))) AS uri
  FROM ${database}.events
  WHERE event_type = 'ObjectEvent' AND action = 'ADD'
)
WHERE match(subject, '^(41[47]/[0-9]{13}(/254/.+)?|01/[0-9]{14})\\z') AND name != '';

-- Views for analysts. Each says what its columns mean (DESCRIBE TABLE, or any SQL client), and is filtered quickly by
-- lot_key = sipHash64('01/GTIN/10/LOT') where it has one.
CREATE VIEW IF NOT EXISTS ${database}.lot_locations ${on_cluster} (
  lot_key        UInt64 COMMENT 'sipHash64(lot)',
  lot            String COMMENT 'lot key: 01/GTIN/10/LOT',
  location       String COMMENT 'where it is; in transit: where it is going',
  disposition    String COMMENT 'CBV 2.0; in_transit: on its way there',
  items          UInt64 COMMENT 'serialised units',
  amount         Decimal(38, 6) COMMENT 'class-level goods; 0 in a row of items',
  uom            String COMMENT 'UN/CEFACT Rec 20; empty in a row of items',
  evidence       Array(String) COMMENT 'how the place of items is known: confirmed, inferred, declared, probabilistic',
  newest         Nullable(DateTime64(6, 'UTC')) COMMENT 'last time that any of the items was seen'
) AS
SELECT lot_key, toString(lot) AS lot, toString(location) AS location, toString(disposition) AS disposition,
       count() AS items, toDecimal128(0, 6) AS amount, '' AS uom,
       arraySort(groupUniqArray(toString(evidence))) AS evidence, toNullable(max(last_at)) AS newest
FROM ${database}.unit_places
WHERE NOT startsWith(tag, '02/') -- what pallets hold by class is among the amounts
GROUP BY lot_key, lot, location, disposition
UNION ALL
SELECT lot_key, lot, place AS location, disposition, 0 AS items, toDecimal128(amount, 6) AS amount, uom,
       [] AS evidence, NULL AS newest
FROM ${database}.quantity_places;

CREATE VIEW IF NOT EXISTS ${database}.shipments ${on_cluster} (
  lot_key        UInt64 COMMENT 'sipHash64(lot)',
  lot            String COMMENT 'lot key: 01/GTIN/10/LOT',
  biz_step       String COMMENT 'CBV 2.0: shipping, departing, retail_selling; receiving, arriving, accepting',
  document       String COMMENT 'type:number',
  line           String COMMENT 'line of the document',
  party          String COMMENT 'to whom; the location where nobody is named',
  location       String COMMENT 'where the goods are going, or arrived',
  event          String COMMENT 'hash of the event that says so; empty for scanned labels',
  at             DateTime64(6, 'UTC') COMMENT 'when it happened',
  items          UInt64 COMMENT 'serialised units, also those inside what was shipped',
  amount         Decimal(38, 6) COMMENT 'class-level goods; 0 in a row of items',
  uom            String COMMENT 'UN/CEFACT Rec 20; empty in a row of items'
) AS
SELECT lot_key, toString(lot) AS lot, toString(biz_step) AS biz_step, document, line,
       toString(if(party = '', location, party)) AS party, toString(location) AS location, event, min(f.first_at) AS at,
       uniqExact(tag) AS items, toDecimal128(0, 6) AS amount, '' AS uom
FROM ${database}.lot_facts AS f
WHERE NOT retracted AND evidence = 'declared'
  AND biz_step IN ('shipping', 'departing', 'retail_selling', 'receiving', 'arriving', 'accepting')
GROUP BY lot_key, lot, biz_step, document, line, party, location, event
UNION ALL
SELECT lot_key, lot, toString(biz_step) AS biz_step, document, line, toString(if(party = '', location, party)) AS party,
       toString(location) AS location, event, min(q.at) AS at, 0 AS items, toDecimal128(sum(q.amount), 6) AS amount,
       toString(uom) AS uom
FROM ${database}.lot_quantities AS q
WHERE biz_step IN ('shipping', 'departing', 'retail_selling', 'receiving', 'arriving', 'accepting')
GROUP BY lot_key, lot, biz_step, document, line, party, location, event, uom;

CREATE VIEW IF NOT EXISTS ${database}.containment ${on_cluster} (
  parent         String COMMENT 'key of what something was packed in: a pallet, a case, a tote',
  child          String COMMENT 'key of what was inside it, directly',
  packed_at      DateTime64(6, 'UTC') COMMENT 'since when it was inside',
  unpacked_at    Nullable(DateTime64(6, 'UTC')) COMMENT 'since when it is not; NULL: it is inside',
  event          String COMMENT 'hash of the event that packed it'
) AS
SELECT parent, added.1 AS child, min(added.2) AS packed_at, ended AS unpacked_at, argMin(added.3, added.2) AS event
FROM (
  SELECT parent, arrayJoin(adds) AS added,
         arrayMap(removed -> removed.2,
                  arrayFilter(removed -> removed.2 > added.2 AND removed.1 IN ('', added.1), removals)) AS later,
         if(empty(later), NULL, arrayMin(later)) AS ended
  FROM (
    SELECT parent, groupArrayIf((child, at, event), deed = 'ADD') AS adds,
           groupArrayIf((child, at), deed = 'DELETE') AS removals
    FROM (
      SELECT subject AS parent, object AS child, toString(action) AS deed, at, event, max(retracted) AS withdrawn
      FROM ${database}.bindings
      WHERE relation = 'content'
      GROUP BY subject, object, action, at, event
    )
    WHERE NOT withdrawn
    GROUP BY parent
  )
)
GROUP BY parent, added.1, ended;

CREATE VIEW IF NOT EXISTS ${database}.trace_edges ${on_cluster} (
  input_key      UInt64 COMMENT 'sipHash64(input)',
  input          String COMMENT 'lot key of what went in',
  output_key     UInt64 COMMENT 'sipHash64(output)',
  output         String COMMENT 'lot key of what came out; units of no named lot are in transformation_sides',
  process        String COMMENT 'transformation id; without one, the hash of the event',
  input_event    String COMMENT 'hash of the event that says what went in',
  output_event   String COMMENT 'hash of the event that says what came out',
  input_amount   Nullable(Decimal(18, 6)) COMMENT 'NULL: not said',
  input_uom      String COMMENT 'UN/CEFACT Rec 20; empty: serialised units',
  input_items    UInt64 COMMENT 'serialised units that went in',
  output_amount  Nullable(Decimal(18, 6)) COMMENT 'NULL: not said; an amount stands in the row of every input',
  output_uom     String COMMENT 'UN/CEFACT Rec 20; empty: serialised units',
  output_items   UInt64 COMMENT 'serialised units that came out',
  at             DateTime64(6, 'UTC') COMMENT 'when it came out',
  location       String COMMENT 'where'
) AS
SELECT taken.lot_key AS input_key, taken.lot AS input, made.lot_key AS output_key, made.lot AS output,
       taken.process AS process, taken.event AS input_event, made.event AS output_event, taken.amount AS input_amount,
       toString(taken.uom) AS input_uom, taken.items AS input_items, made.amount AS output_amount,
       toString(made.uom) AS output_uom, made.items AS output_items, made.at AS at, toString(made.location) AS location
FROM (SELECT * FROM ${database}.transformation_sides WHERE side = 'input' AND lot != '') AS taken
INNER JOIN (SELECT * FROM ${database}.transformation_sides WHERE side = 'output' AND lot != '') AS made
  ON made.process = taken.process;

CREATE VIEW IF NOT EXISTS ${database}.blind_window_states ${on_cluster} (
  subject        String COMMENT 'read point, feed or site that could not see',
  cause          String COMMENT 'down, overflowing, discarding, stale, mapping',
  from_at        DateTime64(6, 'UTC') COMMENT 'since when',
  until_at       Nullable(DateTime64(6, 'UTC')) COMMENT 'until when; NULL: still',
  lost           Nullable(UInt64) COMMENT 'reads that are known to be lost',
  detail         String COMMENT 'in words'
) AS
SELECT toString(subject) AS subject, toString(cause) AS cause, from_at, until_at, lost, detail
FROM ${database}.blind_windows
ORDER BY recorded_at DESC, isNull(until_at), source_offset DESC
LIMIT 1 BY subject, cause, from_at;
