-- The units of a lot of which sightings were no item rows of it: they are placed when asked.
SELECT DISTINCT tag FROM sightings_missed(lots = {placed:Array(String)})
WHERE lot = {lot:String} AND first_at <= {as_of:DateTime64(6, 'UTC')}
