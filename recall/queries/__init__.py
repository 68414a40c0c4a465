"""One question a file, parameters bound by the server."""
