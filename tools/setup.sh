#!/bin/sh
# Makes .venv from a lock file, once per content of that file: `sh tools/setup.sh runtime|dev`.
# The development lock holds everything of the runtime's, so a machine that has it never goes back.
set -eu
level=$1
venv=.venv
mark=$venv/.synced

fail() {
    echo "$1" >&2
    exit 1
}

[ -r "$mark" ] && grep -q '^dev ' "$mark" && level=dev
case $level in
runtime) lock=requirements.lock ;;
dev) lock=requirements-dev.lock ;;
*) fail "usage: setup.sh runtime|dev" ;;
esac
wanted="$level $(cksum <"$lock")"
[ -x "$venv/bin/python" ] && [ -r "$mark" ] && [ "$(cat "$mark")" = "$wanted" ] && exit 0

if ! [ -x "$venv/bin/python" ]; then
    for name in ${FRONTDESK_PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            python=$name
            break
        fi
    done
    [ "${python:-}" ] || fail "Frontdesk needs Python 3.11 or newer; set FRONTDESK_PYTHON to its path."
    "$python" -c 'import ensurepip' 2>/dev/null ||
        fail "Python's venv module is missing: install it first (on Debian and Ubuntu: apt install python3-venv)."
    echo "Making the Python environment in $venv ..."
    "$python" -m venv "$venv" || fail "The Python environment could not be made in $(pwd)/$venv: is the disk full or read-only?"
fi

uv=$venv/.tools/bin/uv
if ! [ -x "$uv" ]; then
    echo "Fetching uv, the installer ..."
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --target "$venv/.tools" uv ||
        fail "uv could not be installed by pip: is this machine online?"
fi
echo "Installing the packages of $lock ..."
VIRTUAL_ENV=$(pwd)/$venv "$uv" pip sync --require-hashes --only-binary :all: --link-mode "${UV_LINK_MODE:-copy}" "$lock" ||
    fail "The packages could not be installed. They come ready-made for Linux on x86-64 and arm64 with glibc 2.28 or newer; check the lines above, the network and the disk."

cat >"$venv/bin/frontdesk" <<END
#!$(pwd)/$venv/bin/python
import sys
sys.path.insert(0, "$(pwd)")
from frontdesk.cli import main
sys.exit(main())
END
chmod 755 "$venv/bin/frontdesk"
echo "$wanted" >"$mark"
