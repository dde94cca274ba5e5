#!/usr/bin/env bash
# shellcheck disable=SC2016,SC2317  # $(…) is apt-get's own; cleanup is called by the trap
# Builds what was not written for a test: this repository itself, and a program of Debian's with its own test suite,
# each in a Debian 12 container made without a registry. Needs root, crun or runc, and mmdebstrap.
#
#   OCELOT_BIN=build/dev/bin tests/live/real_input.sh
set -uo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
bin=${OCELOT_BIN:?the folder of the programs}
passed=0 failed=0 skipped=0

finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ] || exit 1
  exit 0
}
skip() { # NAME WHY
  echo "SKIP $1: $2" && skipped=$((skipped + 1))
}

for need in mmdebstrap dpkg-source git; do
  command -v $need >/dev/null || { skip "OcelotBuildsOcelot" "$need is missing" && skip "ADebianProgram" "$need is missing" && finish; }
done
if [ "$(id -u)" != 0 ]; then
  skip OcelotBuildsOcelot "making a Debian image and its containers needs root"
  skip ADebianProgram "making a Debian image and its containers needs root"
  finish
fi

work=$(mktemp -d)
export HOME=$work/home PATH=$bin:$PATH
unset OCELOT_URL OCELOT_TOKEN
mkdir -p "$HOME"
up=
cleanup() {
  if [ -n "$up" ]; then kill -TERM "$up" 2>/dev/null && wait "$up" 2>/dev/null; fi
  rm -rf "$work"
}
trap cleanup EXIT

# The image is kept beside the build folder, for the next run.
if ! image=$("$source/scripts/build-image" "$source/build/ocelot-build.tar" 2>"$work/image.log"); then
  tail -3 "$work/image.log"
  skip OcelotBuildsOcelot "the image could not be made: $(tail -1 "$work/image.log")"
  skip ADebianProgram "the image could not be made: $(tail -1 "$work/image.log")"
  finish
fi
port=$((20000 + $$ % 20000))
ocelot image import "$image" ocelot.local/ocelot-build --data "$work/data" >"$work/import.log" 2>&1 || { cat "$work/import.log" && failed=2 && finish; }
ocelot up --data "$work/data" --port $port --set "worker.local_repos=$work" >"$work/up.log" 2>&1 &
up=$!
for _ in $(seq 300); do
  grep -q 'Ocelot is up' "$work/up.log" && break
  kill -0 $up 2>/dev/null || break
  sleep 0.1
done
grep -q 'Ocelot is up' "$work/up.log" || { cat "$work/up.log" && failed=2 && finish; }

check() { # NAME FOLDER WHAT-ITS-LOG-HOLDS
  if (cd "$2" && timeout 1500 ocelot build >"$work/$1.log" 2>&1) && grep -q "$3" "$work/$1.log"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAIL $1: the build's log ends"
    tail -25 "$work/$1.log"
  fi
}

identity=(-c user.name=test -c user.email=test@example.org)

# This repository, as it is in the working copy, on the branch that builds two suites.
git clone -q --no-hardlinks "$source" "$work/ocelot" 2>/dev/null || cp -a "$source" "$work/ocelot"
git -C "$work/ocelot" checkout -q -B small
git -C "$work/ocelot" remote remove origin 2>/dev/null || :
check OcelotBuildsOcelot "$work/ocelot" 'tests passed'

# A program of Debian's, by a package list of this test's own.
mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/debian"
uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' 2>/dev/null | head -1)
echo "deb-src $uri bookworm main" >"$work/apt/sources.list"
apt=(-o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt/cache" -o APT::Sandbox::User=root)
if apt-get "${apt[@]}" -qq update >"$work/apt.log" 2>&1 && (cd "$work/debian" && apt-get "${apt[@]}" -qq source hello >>"$work/apt.log" 2>&1); then
  program=$(find "$work/debian" -mindepth 1 -maxdepth 1 -type d | head -1)
  cat >"$program/ocelot.yml" <<'EOS'
image: ocelot.local/ocelot-build
stages:
  - name: configure
    script:
      # Git keeps no times, and make would want to write configure and the manual anew.
      - find . -type f -exec touch -d 2020-01-01 {} +
      - touch -d 2100-01-01 hello.1
      - ./configure --disable-dependency-tracking
  - name: compile
    script: make -j "$(nproc)"
  - name: its own tests
    script: make check
EOS
  git -C "$program" init -q -b main
  git -C "$program" "${identity[@]}" add -A -f
  git -C "$program" "${identity[@]}" commit -q -m "Debian's hello"
  check ADebianProgram "$program" '# PASS:'
else
  skip ADebianProgram "its source could not be fetched: $(tail -1 "$work/apt.log")"
fi
finish
