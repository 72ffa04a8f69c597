#!/usr/bin/env bash
# Starts the containers of compose.yaml, and asks the API through nginx.
#
# Let this script ask for what your API does.
set -euo pipefail

run() {
  docker compose exec -T api python manage.py "$@"
}

send() {
  curl --silent --show-error --fail-with-body --header "Authorization: Bearer $(run token)" "$@"
}

python3 scripts/create_env.py
docker compose up --detach --wait
api=http://$(docker compose port nginx 8080)
send "$api/"
todos=$(run routes | sed -n 's/^POST *\(.*todos\) .*/\1/p')
send "$api$todos" --json '{"title": "Try todos"}'
