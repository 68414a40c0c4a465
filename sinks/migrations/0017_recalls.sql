-- Recall cases for analysts: what was decided of them, in the order of the log. A decision that did not fit what was
-- decided before it has no effect (docs/recall.md); `lotstream recall status` says which.
CREATE VIEW IF NOT EXISTS ${database}.recalls ${on_cluster} (
  case           String COMMENT 'name of the case',
  decision       String COMMENT 'hash of what was decided',
  step           String COMMENT 'open, scope, initiate, close',
  by             String COMMENT 'who decided',
  reason         String COMMENT 'why',
  at             DateTime64(6, 'UTC') COMMENT 'when it was decided',
  recall         String COMMENT 'of an opening: recall, withdrawal, stock_recovery',
  mock           Bool COMMENT 'of an opening: an exercise',
  said           String COMMENT 'the step as JSON: clauses of a scope, what a close releases',
  log_offset     UInt64 COMMENT 'in the partition of the case: the order of its life',
  recorded_at    DateTime64(6, 'UTC') COMMENT 'when the gateway took it'
) AS
SELECT subject AS case, name AS decision, JSONExtractString(text, 'deed', 'step') AS step,
       JSONExtractString(text, 'by') AS by, JSONExtractString(text, 'reason') AS reason,
       fromUnixTimestamp64Micro(JSONExtractInt(text, 'at_us'), 'UTC') AS at,
       JSONExtractString(text, 'deed', 'kind') AS recall, JSONExtractBool(text, 'deed', 'mock') AS mock,
       JSONExtractRaw(text, 'deed') AS said, source_offset AS log_offset, recorded_at
FROM ${database}.decisions
WHERE kind = 'recall'
ORDER BY subject, source_offset
LIMIT 1 BY subject, name;

ALTER TABLE ${database}.decisions ${on_cluster} COMMENT COLUMN kind 'lot_claim, lot_change, hold, document, recall';
