#!/usr/bin/env bash
# Pushes the template's changes as the branch template-update, with conflict markers where both sides
# changed the same lines. Does nothing where there are no changes, or where the branch exists.
#
#   REMOTE=URL scripts/propose_template_update.sh [OPTIONS OF GIT PUSH]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${REMOTE:?names no repository to push to}"

branch=template-update
if git ls-remote --exit-code --heads "$REMOTE" "$branch" >/dev/null; then
    echo "$branch waits to be merged."
    exit 0
fi
status=0
.venv/bin/python manage.py template update --check || status=$?
case $status in
    0) exit 0 ;;
    3) ;;
    *) exit "$status" ;;
esac
subject="Update from the template"
status=0
.venv/bin/python manage.py template update || status=$?
case $status in
    0) ;;
    3) subject="$subject, with conflicts to be resolved" ;;
    *) exit "$status" ;;
esac
git switch --quiet --create "$branch"
git add --all
git -c user.name="Template update" -c user.email=template@localhost commit --quiet --message "$subject"
git push --quiet "$@" "$REMOTE" "$branch"
