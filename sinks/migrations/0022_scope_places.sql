-- What was at a place within a window is asked of all lots: of facts only granules that have the place are read.
ALTER TABLE ${database}.lot_sightings ${on_cluster}
  ADD INDEX IF NOT EXISTS by_location location TYPE set(64) GRANULARITY 4;

ALTER TABLE ${database}.quantities ${on_cluster}
  ADD INDEX IF NOT EXISTS by_place (location, source) TYPE set(64) GRANULARITY 4;
