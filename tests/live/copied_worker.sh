#!/usr/bin/env bash
# A machine that was copied with its data_dir: the second worker of one id says whose that is, with both their names, and
# ends with status 78, while the first goes on with its build; once the first is dead it takes the id over. Registered at
# Consul, which would take both; PostgreSQL knows better.
#
#   OCELOT_BIN=build/dev/bin tests/live/copied_worker.sh
name=TwoWorkersNeverShareAnId
# shellcheck source=tests/live/support.sh
. "$(dirname "$0")/support.sh"
needs psql curl jq git busybox sha256sum

for engine in postgres consul; do engine $engine; done
word() { tr ' ' '\n' <<<"$OCELOT_TEST_POSTGRES" | sed -n "s/^$1=//p"; }
mkdir -p "$work/home" "$work/repo"
export HOME=$work/home
unset OCELOT_URL OCELOT_TOKEN
port=$((21000 + RANDOM % 8000))
(umask 077 && head -c 32 /dev/urandom >"$work/key" && word password | tr -d '\n' >"$work/password")
export OCELOT_STORE__PASSWORD_FILE=$work/password
settings() { # NAME PORT → its server.yaml
  mkdir -p "$work/$1"
  cat >"$work/$1.yaml" <<YAML
data_dir: $work/$1/data
run_dir: $work/$1/run
store: {kind: postgres, dsn: "host=$(word host) port=$(word port) dbname=$(word dbname) user=$(word user)"}
secrets: {key_file: $work/key}
discovery: {kind: consul}
consul: {url: "$OCELOT_TEST_CONSUL", prefix: "copied-$$"}
plugins: {runtimes: [oci]}
admin: {listen: "127.0.0.1:$port"}
worker: {listen: "127.0.0.1:$2", name: $1, admin_url: "http://127.0.0.1:$port", local_repos: [$work], network: none, min_free_disk: 1MiB}
YAML
}
start() { # DAEMON NAME
  "$bin/ocelot-$1" --config "$work/$2.yaml" >>"$work/$2.log" 2>&1 &
  daemons[$2]=$!
}
ready() { curl -sf "http://127.0.0.1:$1/readyz"; }
api() { curl -sS --max-time 60 -H "Authorization: Bearer $OCELOT_TOKEN" "$@"; }

settings first $((port + 1))
settings copy $((port + 2))
start admin first
daemons[admin]=${daemons[first]}
await "ocelot-admin is ready" ready "$port"
OCELOT_TOKEN=oct_$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
OCELOT_URL=http://127.0.0.1:$port
psql --no-psqlrc --quiet "$OCELOT_TEST_POSTGRES" -c "INSERT INTO tokens (id, name, role, sha256_hex, created_at) VALUES ('t',
  't', 'admin', '$(printf %s "$OCELOT_TOKEN" | sha256sum | cut -d' ' -f1)', 0)" || fail "no token"

rootfs=$work/rootfs
mkdir -p "$rootfs"/{bin,etc,root,tmp}
cp "$(command -v busybox)" "$rootfs/bin/busybox"
for applet in sh echo sleep; do ln -s busybox "$rootfs/bin/$applet"; done
echo 'root:x:0:0::/root:/bin/sh' >"$rootfs/etc/passwd"
for one in first copy; do
  "$bin/ocelot" image import "$rootfs" ocelot.local/busybox --config "$work/$one.yaml" >"$work/import.log" 2>&1 || fail "no image"
done
printf 'image: ocelot.local/busybox\nclone: false\nstages: [{name: test, script: ["echo begun", "until [ -e /workspace/go ]; do sleep 0.1; done", "echo the end"]}]\n' >"$work/repo/ocelot.yml"
git -C "$work/repo" init -q -b main
git -C "$work/repo" add -A
git -C "$work/repo" -c user.name=t -c user.email=t@example.org commit -qm test

start worker first
await "the first worker is ready" ready $((port + 1))
cp "$work/first/data/worker-id" "$work/first/data/worker-key" "$work/copy/data/"
api -f -X POST "$OCELOT_URL/v1/repos" -d "{\"url\":\"$work/repo\",\"name\":\"repo\"}" >/dev/null || fail "no repository"
build=$(api -f -X POST "$OCELOT_URL/v1/builds" -d '{"repo":"repo"}' | jq -r .id)
log() { api "$OCELOT_URL/v1/builds/$build/log?via=admin${1-}"; }
begun() { log | grep -q begun; }
await "the build runs" begun
go() { touch "$work/$1/data/builds/$build/workspace/go"; } # NAME, of the worker that has it

status=0
timeout 60 "$bin/ocelot-worker" --config "$work/copy.yaml" >"$work/copy.log" 2>&1 || status=$?
[ $status = 78 ] || fail "the copy ended with $status"
for words in "waiting for the worker's id" 'as \"copy\"' '\"first\" on' "http://127.0.0.1:$((port + 1))" "data_dir of its own"; do
  grep -qF "$words" "$work/copy.log" || fail "the copy did not say $words"
done
shown() { api "$OCELOT_URL/v1/workers" | jq -r '[.workers[].name] | join(" ")'; }
[ "$(shown)" = first ] || fail "there are the workers: $(shown)"
go first || fail "the first one's build has no workspace"
text=$(log "&follow=1")
[[ $text == *"the end"* ]] || fail "the first one's build has the log: $text"
jq -e '.state == "passed" and .attempt == 1' <<<"$(api "$OCELOT_URL/v1/builds/$build")" >/dev/null ||
  fail "the first one's build: $(api "$OCELOT_URL/v1/builds/$build")"

# The first is dead: its copy waits for that to be certain, and is the worker then.
end first KILL
start worker copy
waits() { grep -q "waiting for the worker's id" "$work/copy.log"; }
: >"$work/copy.log"
await "the copy waits" waits
await "the copy has the id" ready $((port + 2))
is_copy() { [ "$(shown)" = copy ]; }
await "the copy is shown" is_copy
build=$(api -f -X POST "$OCELOT_URL/v1/builds" -d '{"repo":"repo"}' | jq -r .id)
await "the copy runs it" go copy
log "&follow=1" | grep -q "the end" || fail "the copy's build has the log: $(log)"
status=0
timeout 60 "$bin/ocelot-worker" --config "$work/first.yaml" >"$work/again.log" 2>&1 || status=$?
[ $status = 78 ] || fail "the first, come back, ended with $status"
echo "1 passed, 0 failed, 0 skipped"
