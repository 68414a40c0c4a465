-- Documents as they were written: of each the newest version holds, with the lines that bear its hash. Lines of events
-- (orders, notes, invoices that an event named) stand beside them in document_lines.
CREATE TABLE IF NOT EXISTS ${database}.documents ${on_cluster} (
  document       String CODEC(ZSTD(1)) COMMENT 'type:number',
  event          String CODEC(ZSTD(1)) COMMENT 'hash of what was written; its lines in document_lines bear it too',
  at             DateTime64(6, 'UTC') CODEC(ZSTD(1)) COMMENT 'date of the document',
  from_party     LowCardinality(String),
  to_party       LowCardinality(String),
  references     Array(String) CODEC(ZSTD(1)) COMMENT 'documents that it names',
  cancelled      Bool,
  recorded_at    DateTime64(6, 'UTC') CODEC(ZSTD(1)),
  source_partition UInt16,
  source_offset  UInt64 CODEC(ZSTD(1)),
  first          UInt64 DEFAULT 18446744073709551615 - source_offset CODEC(ZSTD(1)),
  INDEX by_reference references TYPE bloom_filter(0.01) GRANULARITY 4
) ENGINE = ${Replacing}(first)
ORDER BY (document, recorded_at, event)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 1000;

-- documents that one event names are linked by it
ALTER TABLE ${database}.document_lines ${on_cluster}
  ADD INDEX IF NOT EXISTS by_event event TYPE bloom_filter(0.01) GRANULARITY 4;

-- What holds: lines of events that nobody declared wrong, and of each written document the lines of its newest version.
CREATE VIEW IF NOT EXISTS ${database}.document_entries ${on_cluster} AS
SELECT l.document AS document, l.line AS line, l.event AS event, l.biz_step AS biz_step, l.at AS at, l.lot AS lot,
       l.lot_key AS lot_key, l.units AS units, l.amount AS amount, l.uom AS uom, l.from_party AS from_party,
       l.to_party AS to_party, l.from_location AS from_location, l.to_location AS to_location
FROM (
  SELECT * FROM ${database}.document_lines
  ORDER BY document, line, event, lot, uom, retracted DESC
  LIMIT 1 BY document, line, event, lot, uom
) AS l
LEFT JOIN (
  SELECT document, groupUniqArray(event) AS versions, argMax(event, (recorded_at, event)) AS newest
  FROM ${database}.documents
  GROUP BY document
) AS d ON l.document = d.document
WHERE NOT l.retracted AND (l.event = d.newest OR NOT has(d.versions, l.event));
