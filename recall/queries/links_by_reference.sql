-- Every version of these documents, and of those that ever referred to any of them, in order of time; `happened` by then.
SELECT document, event, references, cancelled, at <= {as_of:DateTime64(6, 'UTC')} AS happened
FROM documents
WHERE document IN {documents:Array(String)}
   OR document IN (SELECT document FROM documents WHERE hasAny(references, {documents:Array(String)}))
ORDER BY document, recorded_at, event
