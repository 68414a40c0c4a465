-- When the sinks last added to the vector of offsets passed; nothing where they never did.
SELECT max(at) AS at FROM sink_offsets HAVING count() > 0
