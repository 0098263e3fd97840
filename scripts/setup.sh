#!/bin/sh
# Makes .venv with the pinned dependencies and this checkout in it. Called by make; safe to repeat.
# usage: scripts/setup.sh base|test
set -eu
kind=${1:-base}
venv=${VENV:-.venv}
stamp="$venv/.ready-$kind"
wanted=$(cat "requirements/$kind.txt" pyproject.toml | cksum)
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && exit 0

say() { printf '%s\n' "$*" >&2; }

python=${PYTHON:-}
if [ -z "$python" ]; then
    for candidate in python3.13 python3.12 python3.11 python3 python3.14; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
        python=$candidate
        break
    done
fi
[ -n "$python" ] || { say "Placeproof needs Python 3.11 or newer, and none was found on the PATH."; exit 1; }

if [ ! -x "$venv/bin/pip" ]; then
    rm -rf "$venv"
    if ! "$python" -m venv "$venv" >/dev/null 2>&1; then
        rm -rf "$venv"
        # Debian and Ubuntu split venv off; mend it where that needs no password.
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        as_root=""
        [ "$(id -u)" = 0 ] || as_root="sudo -n"
        say "Python $version has no venv module here; installing python$version-venv ..."
        if ! { command -v apt-get >/dev/null 2>&1 \
               && { $as_root apt-get install -y -q "python$version-venv" >/dev/null 2>&1 \
                    || { $as_root apt-get update -q >/dev/null 2>&1 \
                         && $as_root apt-get install -y -q "python$version-venv" >/dev/null 2>&1; }; } \
               && "$python" -m venv "$venv"; }; then
            say "Could not make a virtual environment. Type: sudo apt install python$version-venv"
            exit 1
        fi
    fi
fi

say "Installing the pinned dependencies ($kind) into $venv; this takes a few minutes the first time ..."
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
    -r "requirements/$kind.txt"
if [ "$kind" = test ]; then
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
        --no-build-isolation --editable .
else
    # The base has no build back-end: a path file puts the checkout on the path, and nothing is fetched.
    site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    printf '%s\n' "$(pwd)/src" > "$site/placeproof-checkout.pth"
    cat > "$venv/bin/placeproof" <<EOF
#!$(pwd)/$venv/bin/python
from placeproof.cli import main
main()
EOF
    chmod +x "$venv/bin/placeproof"
fi
printf '%s' "$wanted" > "$stamp"
