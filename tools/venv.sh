#!/bin/sh
# Makes .venv and installs one lock into it:  tools/venv.sh play|train|test
# A stamp remembers what was installed, so that a second call costs nothing.
set -eu
cd "$(dirname "$0")/.."
part=${1:-play}
case $part in
    play) lock=requirements.lock ;;
    train | test) lock=requirements-$part.lock ;;
    *) echo "tools/venv.sh: found '$part', expected play, train or test" >&2; exit 2 ;;
esac
say() { printf '%s\n' "$*" >&2; }

python=${PYTHON:-python3}
if ! command -v "$python" >/dev/null 2>&1; then
    say "No $python here: install Python 3.11 or newer (on Debian: apt install python3 python3-venv)."; exit 2
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    say "Found $("$python" --version 2>&1), expected Python 3.11 or newer: name one with make $part PYTHON=python3.12"; exit 2
fi
if [ ! -w . ]; then
    say "This folder cannot be written by $(id -un): clone the project where you may write, or change its owner."; exit 2
fi
if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        say "Python's venv module is missing: on Debian, apt install python3-venv; elsewhere, install a complete Python."; exit 2
    fi
    say "Making .venv …"
    "$python" -m venv .venv
fi

stamp=.venv/.$part-$(cat $lock pyproject.toml | cksum | tr ' ' -)
[ -e "$stamp" ] && exit 0
say "Installing $lock into .venv …"
.venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet --require-hashes -r "$lock" || {
    say "Installing $lock failed: is the package index reachable? Run it again; what is already there is kept."; exit 1
}
.venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet --no-deps --no-build-isolation -e .
rm -f .venv/."$part"-*
touch "$stamp"
