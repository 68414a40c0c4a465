-- Some lots of which units are known, by chance.
SELECT DISTINCT lot FROM lot_names WHERE kind = 'units' ORDER BY rand() LIMIT {limit:UInt32}
