-- Every other decision, in the order in which they came.
SELECT text FROM decisions FINAL
WHERE kind != 'lot_claim'
ORDER BY recorded_at, source_partition, source_offset
