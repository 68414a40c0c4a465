#!/bin/sh
# Gives the server the digests of the two passwords, and then starts it as its image does. The passwords themselves are
# in no environment and in no configuration.
set -eu

digest() {
    secret=$(cat "/run/secrets/$1")
    [ -n "$secret" ] || {
        echo "Expected a password in the secret $1, got an empty file." >&2
        exit 1
    }
    printf '%s' "$secret" | sha256sum | cut -d ' ' -f 1
}

LOTSTREAM_WRITER_SHA256=$(digest clickhouse_writer)
LOTSTREAM_READER_SHA256=$(digest clickhouse_reader)
export LOTSTREAM_WRITER_SHA256 LOTSTREAM_READER_SHA256
exec /entrypoint.sh "$@"
