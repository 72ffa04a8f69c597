#!/usr/bin/env bash
# Starts this project's PostgreSQL in a container, unless it runs, and prints its URL.
#
#   export DATABASE_URL="$(scripts/run_postgres.sh)"
#
# POSTGRES_PASSWORD and POSTGRES_PORT (5432) come from the environment or from .env. The data are
# in a volume and outlive the container. A stopped container is replaced, with the current port.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

image=postgres:17-alpine
name=postgres-$(printf %s "${PWD##*/}" | LC_ALL=C tr -cs 'A-Za-z0-9_.' -)
seconds=60

say() { echo "$name: $*" >&2; }
fail() { say "$@"; exit 1; }

setting() {
    if [ -n "${!1:-}" ]; then printf %s "${!1}"; return; fi
    [ ! -f .env ] || sed -nE "s/^[[:space:]]*(export[[:space:]]+)?$1[[:space:]]*=[[:space:]]*//p" .env |
        tail -n 1 | sed -E -e "s/^'([^']*)'.*/\1/" -e t -e 's/^"([^"]*)".*/\1/' -e t \
            -e 's/(^|[[:space:]]+)#.*//' -e 's/[[:space:]]+$//'
}

runs() { [ "$(docker container inspect --format '{{.State.Running}}' "$name" 2>/dev/null)" = true ]; }

start() {
    docker rm "$name" >/dev/null 2>&1 || true
    docker create --name "$name" --env POSTGRES_PASSWORD --publish "127.0.0.1:$port:5432" \
        --volume "$name:/var/lib/postgresql/data" "$image" >/dev/null || fail "it was not created."
    if ! error=$(docker start "$name" 2>&1 >/dev/null); then
        docker rm "$name" >/dev/null
        case $error in
            *"already allocated"* | *"already in use"*)
                fail "port $port is in use; set POSTGRES_PORT to another one." ;;
            *) fail "it did not start: $(tail -n 1 <<<"$error")" ;;
        esac
    fi
}

wait_until_ready() {
    SECONDS=0
    # Over TCP: the server that initialises the volume listens on a socket only.
    until docker exec "$name" pg_isready --quiet --host 127.0.0.1 2>/dev/null; do
        runs || fail "it stopped: $(docker logs --tail 1 "$name" 2>&1)"
        [ "$SECONDS" -lt "$seconds" ] || fail "not ready after $seconds s; see: docker logs $name"
        sleep 0.2
    done
    # PostgreSQL asks for the password only where the address is not the loopback's.
    # shellcheck disable=SC2016
    PGPASSWORD=$POSTGRES_PASSWORD docker exec --env PGPASSWORD "$name" \
        sh -c 'psql --quiet --username postgres --host "$(hostname)" --command ""' 2>/dev/null ||
        fail "its volume $name was made with another POSTGRES_PASSWORD."
}

percent_encoded() {
    case $1 in
        *[!A-Za-z0-9._~-]*) printf %s "$1" | od -An -v -tx1 | tr -d '\n' | tr ' ' % ;;
        *) printf %s "$1" ;;
    esac
}

command -v docker >/dev/null || fail "Docker is not installed."
docker info >/dev/null 2>&1 || fail "the Docker engine does not answer; docker info says why."
POSTGRES_PASSWORD=$(setting POSTGRES_PASSWORD)
export POSTGRES_PASSWORD
[ -n "$POSTGRES_PASSWORD" ] || fail "set POSTGRES_PASSWORD, in the environment or in .env."
port=$(setting POSTGRES_PORT)
port=${port:-5432}

if runs; then say "it runs already."; else start; fi
wait_until_ready
echo "postgresql://postgres:$(percent_encoded "$POSTGRES_PASSWORD")@$(docker port "$name" 5432/tcp)/postgres"
