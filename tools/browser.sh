#!/bin/sh
# Installs what the tests drive besides Python: Chromium and PostgreSQL's server programs.
# As root by apt; otherwise Playwright's own Chromium, and the tests on PostgreSQL are skipped with a word.
# Chromium without windows draws and runs pages as the other does, with half the work: it is used where it can be had.
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$*" >&2; }
have_postgres() { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1; }
have_chromium() { command -v chromium >/dev/null 2>&1 || ls "$HOME"/.cache/ms-playwright/chromium-* >/dev/null 2>&1; }
have_shell() { command -v chromium-headless-shell >/dev/null 2>&1; }
tried=.venv/.headless-shell  # so that where it cannot be had it is asked for once

have_chromium && have_postgres && { have_shell || [ -e $tried ]; } && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "Installing Chromium and PostgreSQL for the tests …"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq || { have_chromium && have_postgres; }
    # The server's package would start a cluster of its own; the tests start theirs.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    have_chromium && have_postgres ||
        apt-get install -y -qq --no-install-recommends chromium postgresql fonts-noto-color-emoji fonts-dejavu-core >/dev/null
    apt-get install -y -qq --no-install-recommends chromium-headless-shell >/dev/null 2>&1 ||
        say "No chromium-headless-shell here: the tests drive Chromium itself, which takes twice the work."
    touch $tried
    exit 0
fi
have_chromium || .venv/bin/playwright install chromium
have_postgres || say "No PostgreSQL here: its tests will be skipped (on Debian: apt install postgresql)."
