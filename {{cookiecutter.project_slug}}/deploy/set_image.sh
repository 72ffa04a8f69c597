#!/usr/bin/env bash
# Writes an image into the three parts of an overlay, and names its migration jobs after it.
#
#   deploy/set_image.sh OVERLAY registry/name@sha256:DIGEST
#
# A pipeline runs it in the repository that the cluster follows, and commits the change there.
set -euo pipefail

overlay=$(cd "$(dirname "${BASH_SOURCE[0]}")/overlays" && pwd)/${1:-}
image=${2:-}
if [ -z "${1:-}" ] || [ ! -d "$overlay" ]; then
    echo "There is no overlay '${1:-}' in deploy/overlays." >&2
    exit 2
elif [[ ! $image =~ ^[a-z0-9./:_-]+@sha256:[0-9a-f]{64}$ ]]; then
    echo "'$image' is no image by its digest, such as registry.example.org/name@sha256:0123…" >&2
    exit 2
fi
name=${image%@*}
digest=${image#*@}
short=${digest:7:12}
for file in "$overlay"/{expand,application,contract}/kustomization.yaml; do
    sed -e "s|newName: .*|newName: $name|" -e "s|digest: .*|digest: $digest|" \
        -e "s|^nameSuffix: .*|nameSuffix: \"-$short\"|" "$file" >"$file.new"
    mv "$file.new" "$file"
done
