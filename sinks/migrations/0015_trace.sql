-- Lots that only a transformation names are found by their names too.
CREATE MATERIALIZED VIEW IF NOT EXISTS ${database}.lot_names_of_transformations ${on_cluster} TO ${database}.lot_names AS
SELECT DISTINCT decodeURLComponent(substring(lot, 22)) AS name, lot, lot_key, 'statement' AS kind
FROM ${database}.transformations
WHERE substring(lot, 18, 4) = '/10/';
