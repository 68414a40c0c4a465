-- What could hide more: intervals in which something could not see, that touch the span of a question.
SELECT subject, cause, from_at, until_at, lost, detail FROM blind_windows
WHERE from_at <= {until:DateTime64(6, 'UTC')} AND (until_at IS NULL OR until_at >= {from:DateTime64(6, 'UTC')})
ORDER BY from_at
LIMIT 1000
