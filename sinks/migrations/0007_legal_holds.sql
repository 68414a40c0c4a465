-- Legal holds: placed and released, each with who and why. While any is in force nothing of the history is deleted.
CREATE TABLE IF NOT EXISTS ${database}.legal_holds ${on_cluster} (
  subject        String COMMENT 'lot key, or all',
  at             DateTime64(6, 'UTC'),
  placed         Bool COMMENT 'false: released',
  by             String,
  why            String
) ENGINE = ${Replacing}
ORDER BY (subject, at);
