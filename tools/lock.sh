#!/bin/sh
# Resolves pyproject.toml into both lock files. Neither names a registry, so that any mirror may serve them.
set -eu
uv=$1
common="--universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url --no-emit-find-links"
$uv pip compile $common pyproject.toml --output-file requirements.lock
$uv pip compile $common --extra dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock
