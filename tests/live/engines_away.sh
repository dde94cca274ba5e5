#!/usr/bin/env bash
# Daemons whose engines are away when they start: up, unready with the reason, and at work as soon as the engines are
# there; accounts of PostgreSQL that Vault makes for seconds, replaced under a build that runs longer than one lives.
#
#   OCELOT_BIN=build/dev/bin tests/live/engines_away.sh
name=DaemonsWaitForTheirEnginesAndChangeAccounts
# shellcheck source=tests/live/support.sh
. "$(dirname "$0")/support.sh"
needs psql curl jq git busybox sha256sum

for engine in postgres vault; do engine $engine; done
owner() { psql --no-psqlrc --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 "$OCELOT_TEST_POSTGRES" "$@"; }
word() { tr ' ' '\n' <<<"$OCELOT_TEST_POSTGRES" | sed -n "s/^$1=//p"; }
vault() { # METHOD PATH [BODY]
  curl -fsS --max-time 20 -X "$1" -H "X-Vault-Token: $OCELOT_TEST_VAULT_TOKEN" -d "${3:-}" "$OCELOT_TEST_VAULT/v1/$2"
}

place="host=$(word host) port=$(word port) dbname=$(word dbname)"
mkdir -p "$work/home" "$work/data" "$work/run" "$work/repo"
export HOME=$work/home
unset OCELOT_URL OCELOT_TOKEN
port=$((21000 + RANDOM % 8000))
(umask 077 && head -c 32 /dev/urandom >"$work/key" && echo "$OCELOT_TEST_VAULT_TOKEN" >"$work/token")
cat >"$work/server.yaml" <<YAML
data_dir: $work/data
run_dir: $work/run
store: {kind: postgres, dsn: "$place"}
secrets: {key_file: $work/key}
vault: {url: "$OCELOT_TEST_VAULT", token_file: $work/token}
plugins: {runtimes: [oci]}
admin: {listen: "127.0.0.1:$port"}
worker: {listen: "127.0.0.1:$((port + 1))", admin_url: "http://127.0.0.1:$port", local_repos: [$work], network: none, min_free_disk: 1MiB}
YAML
declare -A ports=([admin]=$port [worker]=$((port + 1)))
start() { # DAEMON ARGUMENT…
  local daemon=$1
  shift
  "$bin/ocelot-$daemon" --config "$work/server.yaml" "$@" >>"$work/$daemon.log" 2>&1 &
  daemons[$daemon]=$!
  await "ocelot-$daemon answers" curl -sf "http://127.0.0.1:${ports[$daemon]}/healthz"
}
readiness() { curl -sS --max-time 20 "http://127.0.0.1:${ports[$1]}/readyz"; }
ready() { [ "$(readiness "$1" | jq .ready)" = true ]; }
unready() { # DAEMON ENGINE WORDS
  readiness "$1" | jq -e --arg name "$2" --arg words "$3" \
    '.down[] | select(.name == $name) | .why | contains($words)'
}
refused() { # WORDS ARGUMENT…
  local words=$1 said status=0
  shift
  said=$(timeout 30 "$bin/ocelot-admin" --config "$work/server.yaml" "$@" 2>&1) || status=$?
  [ $status = 1 ] || fail "ocelot-admin ended with $status, not 1, having said: $said"
  [[ $said == *"$words"* ]] || fail "ocelot-admin said: $said"
}

# What time does not mend ends a daemon at once.
printf wrong >"$work/wrong"
OCELOT_STORE__PASSWORD_FILE=$work/wrong refused "password authentication failed" --set "store.dsn=$place user=ocelot"

# PostgreSQL is away: the admin is up, and at work once it is there.
"$source/scripts/engines" kill postgres "$work/engines"
(umask 077 && word password >"$work/password" && truncate -s -1 "$work/password")
OCELOT_STORE__PASSWORD_FILE=$work/password start admin --set "store.dsn=$place user=ocelot"
await "the admin says that the store is away" unready admin store "Connection refused"
[ "$(curl -s -o "$work/answer" -w '%{http_code}' "http://127.0.0.1:$port/v1/builds")" = 503 ] || fail "not 503 but: $(cat "$work/answer")"
"$source/scripts/engines" start postgres "$work/engines" >/dev/null || fail "PostgreSQL did not come back"
await "the admin is ready" ready admin
end admin
owner --file "$source/etc/postgres/roles.sql" || fail "roles.sql was refused"

# Accounts by Vault, which is away at first.
plugin=postgresql-database-plugin
vault POST sys/mounts/database '{"type": "database"}' >/dev/null || skip "Vault has no database engine"
vault POST database/config/ocelot "$(jq -n --arg plugin $plugin --arg user "$(word user)" --arg password "$(word password)" \
  --arg url "postgresql://{{username}}:{{password}}@$(word host):$(word port)/$(word dbname)?sslmode=disable" \
  '{plugin_name: $plugin, allowed_roles: "*", connection_url: $url, username: $user, password: $password}')" >/dev/null ||
  skip "Vault's $plugin does not work here"
for role in admin worker; do
  vault POST database/roles/$role "$(jq -n --arg role ocelot_$role '{db_name: "ocelot", default_ttl: "3s", max_ttl: "6s",
    revocation_statements: "DROP ROLE IF EXISTS \"{{name}}\"",
    creation_statements: ("CREATE ROLE \"{{name}}\" LOGIN PASSWORD '"'{{password}}' VALID UNTIL '{{expiration}}'"' IN ROLE " + $role)}')" >/dev/null || fail "no role $role"
done
refused "check store.vault_role" --set store.vault_role=nobody
"$source/scripts/engines" kill vault "$work/engines"
for daemon in admin worker; do start $daemon --set store.vault_role=$daemon; done
for daemon in admin worker; do await "$daemon says that Vault is away" unready $daemon store "nothing listens there"; done
"$source/scripts/engines" start vault "$work/engines" >/dev/null || fail "Vault did not come back"
for daemon in admin worker; do await "$daemon is ready" ready $daemon; done

OCELOT_TOKEN=oct_$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
export OCELOT_TOKEN OCELOT_URL=http://127.0.0.1:$port
owner -c "INSERT INTO tokens (id, name, role, sha256_hex, created_at) VALUES ('t', 't', 'admin',
  '$(printf %s "$OCELOT_TOKEN" | sha256sum | cut -d' ' -f1)', 0)"
api() { curl -sS --max-time 60 -H "Authorization: Bearer $OCELOT_TOKEN" "$@"; }

rootfs=$work/rootfs
mkdir -p "$rootfs"/{bin,etc,root,tmp}
cp "$(command -v busybox)" "$rootfs/bin/busybox"
for applet in sh echo sleep; do ln -s busybox "$rootfs/bin/$applet"; done
echo 'root:x:0:0::/root:/bin/sh' >"$rootfs/etc/passwd"
"$bin/ocelot" image import "$rootfs" ocelot.local/busybox --config "$work/server.yaml" --set store.vault_role=admin \
  >"$work/import.log" 2>&1 || fail "no image"
printf 'image: ocelot.local/busybox\nstages:\n  - name: test\n    script: |\n      echo begun\n      until [ -e /workspace/go ]; do sleep 0.1; done\n      echo hello\n' >"$work/repo/ocelot.yml"
git -C "$work/repo" init -q -b main
git -C "$work/repo" add -A
git -C "$work/repo" -c user.name=t -c user.email=t@example.org commit -qm test
api -f -X POST "$OCELOT_URL/v1/repos" -d "{\"url\":\"$work/repo\",\"name\":\"repo\"}" >/dev/null || fail "no repository"
build=$(api -f -X POST "$OCELOT_URL/v1/builds" -d '{"repo":"repo"}' | jq -r .id)
begun() { api "$OCELOT_URL/v1/builds/$build/log?via=admin" | grep -q begun; }
await "the build runs" begun

# The build outlives the accounts that it began with.
accounts() { owner -c "SELECT DISTINCT usename FROM pg_stat_activity WHERE usename LIKE 'v-%'"; }
first=$(accounts)
replaced() {
  local one
  [ -n "$first" ] || return 1
  for one in $first; do [ "$(owner -c "SELECT count(*) FROM pg_roles WHERE rolname = '$one'")" = 0 ] || return 1; done
}
await "Vault has ended the first accounts" replaced
await "there are others" test -n "$(accounts)"
touch "$(find "$work/data/builds/$build" -name workspace -type d | head -1)/go" || fail "the build has no workspace"
state() { [ "$(api "$OCELOT_URL/v1/builds/$build" | jq -r .state)" = passed ]; }
await "the build passes" state
[ "$(api "$OCELOT_URL/v1/builds/$build" | jq -r .attempt)" = 1 ] || fail "it took more than one attempt"
for daemon in admin worker; do
  ready $daemon || fail "$daemon is not ready: $(readiness $daemon)"
  grep -E 'permission denied|does not exist|connection was lost' "$work/$daemon.log" && fail "$daemon noticed the change"
done
echo "1 passed, 0 failed, 0 skipped"
