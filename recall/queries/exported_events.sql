-- Events as they were sent, each fact once by its first copy, in order of their hashes behind the one given.
SELECT event, error, text
FROM events
WHERE (event, error) > ({event:String}, {error:Bool})
  AND at >= {since:DateTime64(6, 'UTC')} AND at < {until:DateTime64(6, 'UTC')} AND at <= {as_of:DateTime64(6, 'UTC')}
  AND ({source:String} = '' OR source = {source:String})
ORDER BY event, error, source_partition, source_offset
LIMIT 1 BY event, error
LIMIT {most:UInt32}
