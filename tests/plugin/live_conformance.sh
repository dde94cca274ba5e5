#!/bin/sh
# The conformance kit with real containers, on runtime/oci and an image of busybox: live_conformance.sh CHECK PLUGIN.so
# Exit status 77: it cannot be run here, and why.
set -eu
check=$1 plugin=$2
skip() { echo "skipped: $1"; exit 77; }
[ "$(id -u)" = 0 ] || skip "containers with a bridge need root"
command -v crun >/dev/null || command -v runc >/dev/null || skip "neither crun nor runc is installed"
busybox=$(command -v busybox) || skip "busybox is not installed"
if ldd "$busybox" >/dev/null 2>&1; then skip "busybox is not static: apt-get install busybox-static"; fi

work=$(mktemp -d "${TMPDIR:-/tmp}/ocelot-live-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/bin" "$work/root/tmp" "$work/root/etc"
cp "$busybox" "$work/root/bin/busybox"
for applet in sh sleep id cat; do ln -s busybox "$work/root/bin/$applet"; done
tar -C "$work/root" -cf "$work/root.tar" .
"$check" "$plugin" --only runtime --live --image ocelot.local/check --import "$work/root.tar" \
  --set store="$work/store" --set state="$work/state"
