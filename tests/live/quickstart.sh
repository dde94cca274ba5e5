#!/usr/bin/env bash
# The README's first command, as a newcomer types it: compiled as it compiles (the quick preset), with a data folder of
# the test's own. What it shows is looked at; then it is run again.
#
#   OCELOT_BIN=build/dev/bin tests/live/quickstart.sh
name=TheReadmesFirstCommandWorks
# shellcheck source=tests/live/support.sh
. "$(dirname "$0")/support.sh"
needs git busybox pgrep

# It listens where a newcomer's Ocelot does.
for port in 7700 7701 7702 7703; do
  ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || skip "port $port, which it uses, is taken on this machine"
done
mkdir -p "$work/home"
export HOME=$work/home OCELOT_DATA_DIR=$work/data NO_COLOR=1
unset OCELOT_URL OCELOT_TOKEN OCELOT_CONTEXT
run_folder=$(mktemp -d -p /dev/shm ocelot-quickstart.XXXXXX)
export OCELOT_RUN_DIR=$run_folder
quick=$source/build/quick/bin/ocelot
tidy() {
  [ ! -x "$quick" ] || "$quick" down --data "$work/data" >/dev/null 2>&1
  rm -rf "$run_folder"
}

shows() { # TEXT TIMES
  local times
  times=$(grep -cF -- "$1" "$work/screen.log")
  [ "$times" = "$2" ] || { cat "$work/screen.log" && fail "it shows \"$1\" $times times, not $2"; }
}
look() {
  local status=0
  "$source/scripts/quickstart" >"$work/screen.log" 2>&1 </dev/null || status=$?
  [ $status = 0 ] || { tail -n 30 "$work/screen.log" "$source/build/quickstart.log" && fail "it ends with status $status"; }
  shows '(ocelot.yml:6) failed with exit code 1]' 1
  shows '  at        ocelot.yml:6' 1
  shows 'Hello, world!' 2 # in the message of the failed stage's command, and said
  shows 'kill -9' 1
  for line in 1 2 3 4 5 6 7 8; do shows "line $line" 1; done
  shows 'passed, attempt 1' 1
  shows 'To stop: ocelot down' 1
}
look
look
"$quick" down --data "$work/data" >"$work/down.log" 2>&1 || fail "ocelot down ends with status $?"
gone_now() { ! pgrep -f "$work/data"; }
await "everything that it started has ended" gone_now
echo "1 passed, 0 failed, 0 skipped"
