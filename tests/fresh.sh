#!/bin/sh
# SPDX-License-Identifier: MIT
# The README's two commands on a machine that has nothing: `tests/fresh.sh SUITE` (bookworm, trixie,
# ...) as root, with debootstrap and a network. Makes a bare system of that release in a folder of
# its own under TMPDIR, clones what is committed here into it, and runs what stands under "Two
# commands", word for word. MIRROR says where packages come from, BEFORE is a command to run first
# (BEFORE='apt-get -qq install -y clang && export CC=clang'); KEEP=1 leaves the folder for a look.

set -eu
suite=${1-}
mirror=${MIRROR-http://deb.debian.org/debian}
cd "$(dirname "$0")/.."

lack() {
    echo "tests/fresh.sh: $1" >&2
    exit 2
}
[ -n "$suite" ] || lack "which release? For example: tests/fresh.sh trixie"
[ "$(id -u)" = 0 ] || lack "needs root, to make a system in a folder and to enter it"
for tool in debootstrap git; do
    command -v $tool >/dev/null || lack "needs $tool: apt-get install $tool"
done
# A debootstrap older than the release treats it as what the next release always is made like.
scripts=/usr/share/debootstrap/scripts
script=$scripts/$suite
[ -e "$script" ] || script=$scripts/sid

# The fenced lines below the heading, up to the next one.
commands=$(awk '/^## /{ on = /^## Two commands$/; next } on && /^```/{ code = !code; next } on && code' README.md)
[ -n "$commands" ] || lack "README.md has no commands under \"Two commands\""

root=$(mktemp -d "${TMPDIR:-/tmp}/mlpd-fresh-$suite.XXXXXX")
chmod 755 "$root" # as every system has it; apt changes to a user of its own
leave() {
    sed -n "s|^[^ ]* \($root/[^ ]*\) .*|\1|p" /proc/mounts | sort -r | while read -r place; do
        umount "$place" || umount -l "$place"
    done
    if [ -n "${KEEP-}" ]; then
        echo "left: $root"
    else
        rm -rf --one-file-system "$root"
    fi
}
trap leave EXIT
trap 'exit 1' INT TERM HUP

echo "== a bare $suite in $root"
debootstrap --variant=minbase "$suite" "$root" "$mirror" "$script" >"$root/log" 2>&1 || {
    tail -n 20 "$root/log" >&2
    lack "debootstrap failed"
}
grep -q " $root/proc " /proc/mounts || mount -t proc proc "$root/proc"
mkdir -p "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
ln -sf pts/ptmx "$root/dev/ptmx"
git clone -q --no-hardlinks . "$root/root/mlpd"

inside() {
    chroot "$root" env -i HOME=/root TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        ${http_proxy+"http_proxy=$http_proxy"} sh -ec "cd /root/mlpd; $1"
}
inside 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y make >/dev/null'
# Empty lists, as many an image has them.
inside 'rm -rf /var/lib/apt/lists/*'
echo "$commands" | sed 's/^/== /'
inside "${BEFORE-:}
$commands"
echo "== $suite: passed"
