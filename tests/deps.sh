#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs those of the named Debian packages that are missing: `tests/deps.sh PACKAGE...`. Silent
# and instant when there are none. With sudo when we are not root.

set -eu

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    for tool in gcc make pkg-config curl; do
        command -v $tool >/dev/null || missing="${missing-} $tool"
    done
    for library in libmicrohttpd libcjson sqlite3 nettle check libcurl openblas; do
        pkg-config --exists $library 2>/dev/null || missing="${missing-} $library"
    done
    [ -n "${missing-}" ] || exit 0
    echo "make deps installs packages on Debian and Ubuntu only; please install:$missing" >&2
    exit 1
fi

missing=
for package; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
    *' ok installed') ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

root=env
if [ "$(id -u)" != 0 ]; then
    root="sudo env"
    command -v sudo >/dev/null || {
        echo "missing packages, and no sudo to install them with:$missing" >&2
        exit 1
    }
fi
echo "installing$missing"
$root apt-get -qq update
$root DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null
