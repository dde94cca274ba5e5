# shellcheck shell=bash
# What the live tests that are shell scripts share. Whoever includes it has set `name`, the test's; it fills daemons[NAME]
# with the process ids of what is to be ended with it, may define tidy(), which is called then, and counts in `passed`
# when it has several parts.
set -uo pipefail
: "${OCELOT_BIN:?the folder of the programs}"
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034  # for whoever includes this
bin=$(cd "$OCELOT_BIN" && pwd)
: "${name:?of the test}"
passed=0

skip() { echo "SKIP $name: $1" && echo "$passed passed, 0 failed, 1 skipped" && exit 0; }
[ "$(id -u)" = 0 ] || skip "containers need root"
command -v crun >/dev/null || command -v runc >/dev/null || skip "neither crun nor runc is installed"
needs() { # PROGRAM…
  local need
  for need in "$@"; do command -v "$need" >/dev/null || skip "$need is missing"; done
}

work=$(mktemp -d)
chmod 755 "$work"
declare -A daemons=()
engines=()
# Of a daemon, or of what runs daemons: NAME [SIGNAL]
end() { kill "-${2:-TERM}" "${daemons[$1]}" 2>/dev/null && wait "${daemons[$1]}" 2>/dev/null; unset "daemons[$1]"; }
# Asked again and again until it is gone: at the second time it gives back the builds that wait for something.
gone() { # PID
  local until=$((SECONDS + 60))
  while kill -TERM "$1" 2>/dev/null; do
    [ $SECONDS -lt $until ] || kill -KILL "$1"
    sleep 0.1
  done
}
cleanup() {
  local one
  for one in "${!daemons[@]}"; do gone "${daemons[$one]}"; done
  for one in "${engines[@]}"; do "$source/scripts/engines" stop "$one" "$work/engines" >/dev/null 2>&1; done
  ! declare -F tidy >/dev/null || tidy
  rm -rf "$work"
}
trap cleanup EXIT

fail() {
  echo "FAIL $name: $1"
  tail -n 5 "$work"/*.log "$work"/*/log/*.log 2>/dev/null
  echo "$passed passed, 1 failed, 0 skipped"
  exit 1
}
await() { # WHAT COMMAND…
  local what=$1 until=$((SECONDS + 60))
  shift
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $until ] || fail "waited in vain: $what"
    sleep 0.05
  done
}
engine() { # NAME: started by scripts/engines, with what it tells in the environment
  local lines
  lines=$("$source/scripts/engines" start "$1" "$work/engines") || skip "$1 did not start"
  engines+=("$1")
  eval "$lines"
}
