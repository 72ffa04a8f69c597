#!/bin/sh
# Makes a virtual environment of locked, hashed requirements, or adds them to one.
#
#   scripts/install.sh .venv requirements/run.txt
#
# uv installs them: $UV, the one on the PATH, or the one that requirements/uv.txt locks, which is first
# put into the environment. Where uv fails, pip installs them. If both fail, their output is shown.
set -eu
venv=$1 locked=$2 log=$(mktemp)
trap 'rm -f "$log"' EXIT

quietly() {
  "$@" >"$log" 2>&1
}

pip_install() {
  quietly "$venv/bin/python" -m pip install --require-hashes -r "$1"
}

find_uv() {
  uv=${UV:-$(PATH=$PATH:$venv/bin command -v uv)}
}

uv_install() {
  # uv does not read pip's settings, such as a company's package index and certificates.
  index=$("$python" -m pip config list 2>"$log" | sed -n "s/.*\.index-url='\(.*\)'$/\1/p" | tail -n 1)
  quietly env ${index:+"UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$index}"} \
    ${PIP_CERT:+"SSL_CERT_FILE=${SSL_CERT_FILE:-$PIP_CERT}"} \
    "$uv" pip install --python "$venv" --require-hashes -r "$locked"
}

for python in python3 python3.14 python3.13 python3.12 python3.11; do
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>"$log" && break
done || { echo 'Python 3.11 or later is needed; none was found on the PATH.' >&2; exit 1; }

echo "Installing $locked into $venv ..." >&2
if [ ! -e "$venv" ]; then
  if find_uv; then quietly "$uv" venv --python "$python" "$venv"; else quietly "$python" -m venv "$venv"; fi ||
    { cat "$log" >&2; exit 1; }
fi
if ! { { find_uv || { pip_install "$(dirname "$0")/../requirements/uv.txt" && find_uv; }; } && uv_install; }; then
  echo "uv cannot install here ($(tail -n 1 "$log")): pip does, which takes longer." >&2
  "$venv/bin/python" -m pip --version >"$log" 2>&1 || quietly "$python" -m venv "$venv"
  pip_install "$locked" || { cat "$log" >&2; exit 1; }
fi
