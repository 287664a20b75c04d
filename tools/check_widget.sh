#!/bin/sh
# Builds the web chat's bundle anew and compares it with the committed one.
set -eu
[ -f ui/package.json ] || exit 0
if ! command -v npm >/dev/null 2>&1; then
    echo "The widget's bundle was not compared with its source: that needs Node 20 or newer." >&2
    exit 0
fi
cd ui
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --silent
npm run --silent check
