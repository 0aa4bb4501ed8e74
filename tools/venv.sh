#!/bin/sh
# Makes .venv and installs one lock into it:  tools/venv.sh play|train|test
# A stamp remembers what was installed, so that a second call costs nothing.
set -eu
cd "$(dirname "$0")/.."
part=${1:-play}
case $part in
    play) lock=requirements.lock target=setup ;;
    train | test) lock=requirements-$part.lock target=setup-$part ;;
    *) echo "tools/venv.sh: found '$part', expected play, train or test" >&2; exit 2 ;;
esac
say() { printf '%s\n' "$*" >&2; }

python=${PYTHON:-python3}
if ! command -v "$python" >/dev/null 2>&1; then
    say "No $python here: install Python 3.11 or newer (on Debian: apt install python3 python3-venv)."; exit 2
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    say "Found $("$python" --version 2>&1), expected Python 3.11 or newer: name one with make $target PYTHON=python3.12"; exit 2
fi
if [ ! -w . ]; then
    say "This folder cannot be written by $(id -un): clone the project where you may write, or change its owner."; exit 2
fi

# The game plays with newer ones too. An environment that is there keeps the Python that it was made with.
mine=$python remedy="make $target PYTHON=python3.13"
if [ -x .venv/bin/python ]; then
    mine=.venv/bin/python remedy="make clean $target PYTHON=python3.13"
fi
if [ "$part" != play ] && ! "$mine" -c 'import sys; sys.exit(sys.version_info >= (3, 14))'; then
    say "Found $("$mine" --version 2>&1), expected Python 3.11 to 3.13, for which there is TensorFlow: $remedy"; exit 2
fi

if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c 'import pip' 2>/dev/null; then
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        say "Python's venv module is missing: on Debian, apt install python3-venv; elsewhere, install a complete Python."; exit 2
    fi
    say "Making .venv …"
    "$python" -m venv .venv
fi

# What an installer that was stopped left half done. It writes INSTALLER when all else of a package is there, and takes a
# package for installed that lacks it.
half_done() {
    for info in .venv/lib/python*/site-packages/*.dist-info; do
        if [ -d "$info" ] && [ ! -e "$info/INSTALLER" ]; then printf '%s\n' "$info"; fi
    done
}

stamp=.venv/.$part-$(cat $lock pyproject.toml | cksum | tr ' ' -)
# Play does not wait for TensorFlow, which may be half done.
is_done() { [ -e "$stamp" ] && { [ "$part" = play ] || [ -z "$(half_done)" ]; }; }
is_done && exit 0

# One at a time: what another is installing right now is half done too. The lock goes with the last process that has it.
exec 9>.venv/.lock
take='import fcntl, sys; fcntl.flock(9, fcntl.LOCK_EX | (fcntl.LOCK_NB if sys.argv[1:] else 0))'
.venv/bin/python -c "$take" at-once 2>/dev/null || {
    say "Waiting for another installation into .venv …"
    .venv/bin/python -c "$take" 2>/dev/null || : # a folder of another machine may know no locks
}
is_done && exit 0
half_done | while read -r info; do rm -rf "$info"; done

say "Installing $lock into .venv …"
.venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet --require-hashes -r "$lock" || {
    say "Installing $lock failed: is the package index reachable? Run it again; what is already there is kept."; exit 1
}
.venv/bin/python -m pip install --disable-pip-version-check --no-input --quiet --no-deps --no-build-isolation -e .
rm -f .venv/."$part"-*
touch "$stamp"
