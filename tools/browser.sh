#!/bin/sh
# Installs what the tests drive besides Python: Chromium and PostgreSQL's server programs.
# As root by apt; otherwise Playwright's own Chromium, and the tests on PostgreSQL are skipped with a word.
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$*" >&2; }
have_postgres() { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1; }
have_chromium() { command -v chromium >/dev/null 2>&1 || ls "$HOME"/.cache/ms-playwright/chromium-* >/dev/null 2>&1; }

have_chromium && have_postgres && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "Installing Chromium and PostgreSQL for the tests …"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # The server's package would start a cluster of its own; the tests start theirs.
    mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] || echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    apt-get install -y -qq --no-install-recommends chromium postgresql fonts-noto-color-emoji fonts-dejavu-core >/dev/null
    exit 0
fi
have_chromium || .venv/bin/playwright install chromium
have_postgres || say "No PostgreSQL here: its tests will be skipped (on Debian: apt install postgresql)."
