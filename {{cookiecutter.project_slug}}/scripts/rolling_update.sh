#!/usr/bin/env bash
# Builds the code as it lies here, adds to the schema what it needs, and replaces the API's containers
# one after another while the others answer; then takes away what only the old code needed. No request
# is lost.
#
#   scripts/rolling_update.sh
#
# The old code serves from the migrated database meanwhile. A container that does not become
# healthy ends this, and the old ones that are left go on.
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
