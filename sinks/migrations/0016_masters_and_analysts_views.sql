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
WHERE match(subject, '^(41[47]/[0-9]{13}(/254/.+)?|01/[0-9]{14})$$') AND name != '';
