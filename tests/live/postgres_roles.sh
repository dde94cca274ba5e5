#!/usr/bin/env bash
# Daemons that log in to PostgreSQL as etc/postgres/roles.sql has it: the admin without the right to change the tables, a
# worker that runs a build, and sees no tokens.
#
#   OCELOT_BIN=build/dev/bin tests/live/postgres_roles.sh
name=AWorkerRunsBuildsUnderItsRole
# shellcheck source=tests/live/support.sh
. "$(dirname "$0")/support.sh"
needs psql curl jq git busybox

engine postgres
owner() { psql --no-psqlrc --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 "$OCELOT_TEST_POSTGRES" "$@"; }
place=$(tr ' ' '\n' <<<"$OCELOT_TEST_POSTGRES" | grep -E '^(host|port|dbname)=' | paste -sd' ')

mkdir -p "$work/home" "$work/data" "$work/run" "$work/repo"
export HOME=$work/home
unset OCELOT_URL OCELOT_TOKEN
port=$((21000 + RANDOM % 8000))
(umask 077 && head -c 32 /dev/urandom >"$work/key")
cat >"$work/server.yaml" <<YAML
data_dir: $work/data
run_dir: $work/run
store: {kind: postgres}
secrets: {key_file: $work/key}
plugins: {runtimes: [oci]}
admin: {listen: "127.0.0.1:$port"}
worker: {listen: "127.0.0.1:$((port + 1))", admin_url: "http://127.0.0.1:$port", local_repos: [$work], network: none, min_free_disk: 1MiB}
YAML
start() { # DAEMON PORT USER PASSWORD
  (umask 077 && printf %s "$4" >"$work/$1.password")
  OCELOT_STORE__PASSWORD_FILE=$work/$1.password "$bin/ocelot-$1" --config "$work/server.yaml" \
    --set "store.dsn=$place user=$3" >>"$work/$1.log" 2>&1 &
  daemons[$1]=$!
  await "ocelot-$1 answers as $3" curl -sf "http://127.0.0.1:$2/healthz"
}

password=${OCELOT_TEST_POSTGRES##*password=}
start admin $port ocelot "${password%% *}"
end admin
owner --file "$source/etc/postgres/roles.sql" || fail "roles.sql was refused"
owner -c "CREATE ROLE ci_admin LOGIN PASSWORD 'a' IN ROLE ocelot_admin" \
  -c "CREATE ROLE worker_1 LOGIN PASSWORD 'w' IN ROLE ocelot_worker" || fail "logins were refused"
start admin $port ci_admin a

OCELOT_TOKEN=oct_$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
export OCELOT_TOKEN OCELOT_URL=http://127.0.0.1:$port
owner -c "INSERT INTO tokens (id, name, role, sha256_hex, created_at) VALUES ('t', 't', 'admin',
  '$(printf %s "$OCELOT_TOKEN" | sha256sum | cut -d' ' -f1)', 0)"
api() { curl -sS --max-time 60 -H "Authorization: Bearer $OCELOT_TOKEN" "$@"; }

rootfs=$work/rootfs
mkdir -p "$rootfs"/{bin,etc,root,tmp}
cp "$(command -v busybox)" "$rootfs/bin/busybox"
for applet in sh echo; do ln -s busybox "$rootfs/bin/$applet"; done
echo 'root:x:0:0::/root:/bin/sh' >"$rootfs/etc/passwd"
OCELOT_STORE__PASSWORD_FILE=$work/admin.password "$bin/ocelot" image import "$rootfs" ocelot.local/busybox \
  --config "$work/server.yaml" --set "store.dsn=$place user=ci_admin" >"$work/import.log" 2>&1 || fail "no image"
printf 'image: ocelot.local/busybox\nstages:\n  - name: test\n    script: echo hello\n' >"$work/repo/ocelot.yml"
git -C "$work/repo" init -q -b main
git -C "$work/repo" add -A
git -C "$work/repo" -c user.name=t -c user.email=t@example.org commit -qm test

start worker $((port + 1)) worker_1 w
api -f -X POST "$OCELOT_URL/v1/repos" -d "{\"url\":\"$work/repo\",\"name\":\"repo\"}" >/dev/null || fail "no repository"
build=$(api -f -X POST "$OCELOT_URL/v1/builds" -d '{"repo":"repo"}' | jq -r .id)
log=$(api -f "$OCELOT_URL/v1/builds/$build/log?follow=1&via=admin")
[[ $log == *hello* ]] || fail "the followed log is: $log"
state() { [ "$(api "$OCELOT_URL/v1/builds/$build" | jq -r .state)" = passed ]; }
await "the build passes" state

denied=$(PGPASSWORD=w psql --no-psqlrc "$place user=worker_1" -c 'SELECT * FROM tokens' 2>&1) && fail "tokens were read"
[[ $denied == *"permission denied for table tokens"* ]] || fail "reading tokens: $denied"
denied=$(PGPASSWORD=w psql --no-psqlrc "$place user=worker_1" -c 'SELECT claim_id FROM builds' 2>&1) && fail "builds were read"
[[ $denied == *"permission denied for table builds"* ]] || fail "reading builds: $denied"

# The parts of the logs: the admin opens and empties them by functions, the worker not even so.
refused() { # USER PASSWORD STATEMENT
  denied=$(PGPASSWORD=$2 psql --no-psqlrc "$place user=$1" -c "$3" 2>&1) && fail "$1 did: $3"
  [[ $denied == *"permission denied"* || $denied == *"must be owner"* ]] || fail "$1, $3: $denied"
}
refused worker_1 w 'SELECT bytes FROM log_chunks_1'
refused worker_1 w 'SELECT ocelot_admin_empty_log_part(1)'
for statement in 'TRUNCATE log_chunks_1' 'DROP TABLE log_chunks_1' 'ALTER TABLE log_chunks DETACH PARTITION log_chunks_1' \
  'CREATE TABLE log_chunks_99 PARTITION OF log_chunks FOR VALUES IN (99)'; do
  refused worker_1 w "$statement"
  refused ci_admin a "$statement"
done
had=$(owner -c "SELECT part FROM log_parts WHERE state = 'open'")
owner -c "UPDATE log_parts SET begun_at = 1 WHERE state = 'open'"
end admin
start admin $port ci_admin a
closed() { [ "$(owner -c "SELECT state FROM log_parts WHERE part = $had")" = closed ]; }
await "a week later another part is open" closed
owner -c "DELETE FROM builds WHERE log_part = $had"
end admin
start admin $port ci_admin a
emptied() { [ "$(owner -c "SELECT state || (SELECT count(*) FROM log_chunks WHERE part = $had) FROM log_parts WHERE part = $had")" = free0 ]; }
await "the part is emptied when its builds are gone" emptied
grep -q 'permission denied' "$work"/*.log && fail "a daemon lacked a right"
echo "1 passed, 0 failed, 0 skipped"
