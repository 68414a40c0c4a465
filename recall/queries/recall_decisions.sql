-- Decisions of one recall case, or of all where it has no name, as they were sent.
SELECT subject AS case, name, text, source, recorded_at, source_offset
FROM decisions
WHERE kind = 'recall' AND ({case:String} = '' OR subject = {case:String})
  AND JSONExtractUInt(text, 'at_us') <= toUnixTimestamp64Micro({as_of:DateTime64(6, 'UTC')})
ORDER BY subject, source_offset
