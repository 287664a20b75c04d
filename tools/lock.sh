#!/bin/sh
# Resolves pyproject.toml into both lock files. Neither names a registry, so that any mirror may serve them.
set -eu
uv=.venv/.tools/bin/uv
[ -x "$uv" ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check --target .venv/.tools uv
compile() {
    "$uv" pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url \
        --no-emit-find-links "$@" pyproject.toml
}
compile --output-file requirements.lock
compile --extra dev --constraint requirements.lock --output-file requirements-dev.lock
