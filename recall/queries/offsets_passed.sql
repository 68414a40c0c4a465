-- The vector of offsets that the sinks had passed at an instant: the last one recorded by then.
SELECT topic, partition, argMax(next, at) AS next
FROM sink_offsets
WHERE at <= {instant:DateTime64(6, 'UTC')}
GROUP BY topic, partition
