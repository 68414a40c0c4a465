-- Intervals in which something could not see, as last told, that touch the span of a question; with their record.
SELECT subject, cause, from_at, if(until_at > {until:DateTime64(6, 'UTC')}, NULL, until_at) AS until_at, lost, detail,
       source_partition, source_offset
FROM (
  SELECT * FROM blind_windows
  ORDER BY recorded_at DESC, isNull(until_at), source_offset DESC
  LIMIT 1 BY subject, cause, from_at
)
WHERE from_at <= {until:DateTime64(6, 'UTC')} AND (until_at IS NULL OR until_at >= {since:DateTime64(6, 'UTC')})
ORDER BY from_at, subject, cause
LIMIT {most:UInt32}
