#!/usr/bin/env bash
# Locks the newest versions that pyproject.toml allows, with hashes, for every supported Python
# and platform. uv and plain pip both install from the files. With --keep, what is locked stays, as
# far as pyproject.toml allows: only what is new in it is added.
#
#   requirements/runtime.txt       what the service needs, with psycopg2 to be compiled
#   requirements/telemetry.txt     the same versions, and OpenTelemetry
#   requirements/development.txt   the same again, psycopg2 as a binary, and the tools
#   requirements/run.txt           what `make run` needs of these
#   requirements/jobs.txt          what a worker and a relay add to any of these
#   requirements/storage.txt       what stores files; -development adds a server and types
#   requirements/uv.txt            the installer of all this, where there is none
set -euo pipefail
cd "$(dirname "$0")/.."

newest=--upgrade
if [ "${1-}" = --keep ]; then newest=; fi

lock() {
  PATH=$PATH:.venv/bin uv pip compile --quiet $newest --universal --python-version 3.11 \
    --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links "$@"
}

lock pyproject.toml --group production --output-file requirements/runtime.txt
lock pyproject.toml --group production --extra telemetry --constraint requirements/runtime.txt \
  --output-file requirements/telemetry.txt
# The same versions, but for the driver: a constraint on psycopg2 is none on psycopg2-binary.
lock pyproject.toml --group dev --extra telemetry --constraint requirements/telemetry.txt \
  --output-file requirements/development.txt
lock pyproject.toml --group run --constraint requirements/development.txt --output-file requirements/run.txt
lock --group jobs --constraint requirements/development.txt --output-file requirements/jobs.txt
lock --group storage --constraint requirements/development.txt --output-file requirements/storage.txt
lock --group storage --group storage-development --constraint requirements/development.txt \
  --constraint requirements/storage.txt --output-file requirements/storage-development.txt
lock --group installer --output-file requirements/uv.txt
