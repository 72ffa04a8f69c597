#!/usr/bin/env bash
# Prints application=true where the commits since BASE change more than prose, else =false.
#
#   BASE=origin/main scripts/application_changed.sh
#
# Where BASE is not in the history, as on a new branch, everything counts as changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! git rev-parse --quiet --verify "${BASE:-}^{commit}" >/dev/null; then
    echo application=true
elif git diff --quiet "$BASE"...HEAD -- . ':(exclude)docs' ':(exclude)*.md' ':(exclude)LICENSE'; then
    echo application=false
else
    echo application=true
fi
