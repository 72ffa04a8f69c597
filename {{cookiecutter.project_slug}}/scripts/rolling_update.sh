#!/usr/bin/env bash
# Builds the code of the work tree, applies its expand revisions, and replaces the API's containers one
# after another while the others serve; then applies the contract revisions. No request
# is lost.
#
#   scripts/rolling_update.sh
#
# Meanwhile the old code serves with the migrated database. A container that does not become healthy
# ends the update, and the remaining old containers go on serving.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

old=$(docker compose ps --quiet api)
[ -n "$old" ] || { echo "The API does not run; start it: docker compose up --detach" >&2; exit 1; }

docker compose run --rm migrate python manage.py db upgrade --until expand
for container in $old; do
    docker compose up --detach --wait --no-deps --no-recreate \
        --scale "api=$(($(wc -w <<<"$old") + 1))" api
    docker stop "$container" # It stops listening, and ends when it has answered.
    docker rm "$container"
done
docker compose run --rm migrate python manage.py db upgrade
