#!/bin/sh
# Makes the secrets that docker-compose.yml mounts, in secrets/ of the checkout. What is there is kept.
set -eu
cd "$(dirname "$0")/.."
umask 077
mkdir -p secrets

random() {
    od -An -N 24 -t x1 /dev/urandom | tr -d ' \n'
}

put() {
    [ -s "secrets/$1" ] && return
    printf '%s\n' "$2" >"secrets/$1"
    # read by other users inside the containers; the folder itself is closed
    chmod 0444 "secrets/$1"
    echo "secrets/$1"
}

for name in clickhouse_writer clickhouse_reader metrics_token grafana_admin; do
    put "$name" "$(random)"
done
# one line per source: its id and its token
put gateway_tokens "example $(random)"
