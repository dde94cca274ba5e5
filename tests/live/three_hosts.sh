#!/usr/bin/env bash
# From `ocelot up` on one host to three, as the handbook's "Past one machine" has it: what the first has gathered moves into
# PostgreSQL, and two more join, each by the command that `ocelot workers add` printed. Each of them has a network, a name
# and an /etc of its own, so that what only the first host's loopback reaches would fail.
#
#   OCELOT_BIN=build/dev/bin tests/live/three_hosts.sh
name=HostsJoinByOneCommandAndRunBuilds
# shellcheck source=tests/live/support.sh
. "$(dirname "$0")/support.sh"
needs curl jq git busybox ip nsenter unshare

bridge=oc-$$
net=10.217.$((RANDOM % 250))
here=$net.1
declare -A address=([build-2]=$net.2 [build-3]=$net.3)
tidy() {
  local one
  for one in "${!address[@]}"; do ip netns delete "$bridge-$one" 2>/dev/null; done
  ip link delete "$bridge" 2>/dev/null
}
ours() { "$bin/ocelot" "$@"; }

network() {
  local host
  ip link add "$bridge" type bridge && ip address add "$here/24" dev "$bridge" && ip link set "$bridge" up || return 1
  for host in "${!address[@]}"; do
    ip netns add "$bridge-$host" && ip -n "$bridge-$host" link set lo up &&
      ip link add "$bridge-${host#build-}" type veth peer name eth0 netns "$bridge-$host" &&
      ip link set "$bridge-${host#build-}" master "$bridge" up &&
      ip -n "$bridge-$host" address add "${address[$host]}/24" dev eth0 && ip -n "$bridge-$host" link set eth0 up || return 1
  done
}
network 2>"$work/network" || skip "no networks of their own: $(cat "$work/network")"
OCELOT_ENGINE_ADDRESS=$here engine postgres

mkdir -p "$work/home" "$work/first/up" "$work/repo"
export HOME=$work/home
unset OCELOT_URL OCELOT_TOKEN OCELOT_DATA_DIR XDG_CONFIG_HOME
rootfs=$work/rootfs
mkdir -p "$rootfs"/{bin,etc,root,tmp}
cp "$(command -v busybox)" "$rootfs/bin/busybox"
for applet in sh echo; do ln -s busybox "$rootfs/bin/$applet"; done
echo 'root:x:0:0::/root:/bin/sh' >"$rootfs/etc/passwd"
commit() { # BRANCH TAG
  git -C "$work/repo" checkout -q -B "$1"
  # shellcheck disable=SC2016  # the stage's shell is to expand it
  printf 'image: ocelot.local/busybox\nmachineTag: %s\nstages:\n  - name: test\n    secrets: [TOKEN]\n    script: echo "by %s, $TOKEN"\n' \
    "$2" "$2" >"$work/repo/ocelot.yml"
  git -C "$work/repo" add -A
  git -C "$work/repo" -c user.name=t -c user.email=t@example.org commit -qm "$2"
}
git -C "$work/repo" init -q -b main
commit main two
commit other three
runs() { # BRANCH TAG: a build of it passes, with its secret masked
  local log
  log=$(ours build repo --branch "$1" 2>&1) || fail "the build of $1 (exit status $?): $log"
  [[ $log == *"by $2, "* ]] || fail "the log of $1: $log"
  [[ $log != *sesame* ]] || fail "the secret stands in the log: $log"
}

# One host, with everything built in.
port=$((21000 + RANDOM % 8000))
cat >"$work/first/up/server.yaml" <<YAML
run_dir: $work/first/up/run
plugins: {runtimes: [oci]}
worker: {tags: [two, three], local_repos: [$work], network: none, min_free_disk: 1MiB}
YAML
ours image import "$rootfs" ocelot.local/busybox --data "$work/first/up" >"$work/import.log" 2>&1 || fail "no image"
"$bin/ocelot" up --data "$work/first/up" --port $port >"$work/up.log" 2>&1 &
daemons[up]=$!
await "ocelot up" grep -q "Ocelot is up" "$work/up.log"
ours repos add "$work/repo" --name repo >"$work/repo.log" 2>&1 || fail "no repository"
ours secret set TOKEN --repo repo <<<"open-sesame-4711" 2>"$work/secret.log" || fail "no secret"
runs main two
ours workers add build-2 --data "$work/first/up" >"$work/refused" 2>&1 && fail "SQLite was taken for another host"
grep -q "ocelot migrate" "$work/refused" || fail "what is said of SQLite: $(cat "$work/refused")"
ours down --data "$work/first/up" >"$work/down.log" 2>&1 || fail "ocelot down"
unset "daemons[up]"

# Into PostgreSQL, with what systemd would give the daemons in a file.
(
  umask 077
  head -c 32 /dev/urandom >"$work/first/secret.key"
  tr ' ' '\n' <<<"$OCELOT_TEST_POSTGRES" | sed -n 's/^password=//p' >"$work/first/store.password"
)
echo "OCELOT_STORE__PASSWORD_FILE=$work/first/store.password" >"$work/first/environment"
cat >"$work/first/server.yaml" <<YAML
data_dir: $work/first/data
run_dir: $work/first/run
store: {kind: postgres, dsn: "$(tr ' ' '\n' <<<"$OCELOT_TEST_POSTGRES" | grep -E '^(host|port|dbname|user)=' | paste -sd' ')"}
secrets: {key_file: $work/first/secret.key}
plugins: {runtimes: [oci]}
admin: {listen: "0.0.0.0:$port", public_url: "http://$here:$port"}
worker: {local_repos: [$work], network: none, min_free_disk: 1MiB}
YAML
ours migrate --from "$work/first/up" --to "$work/first/server.yaml" >"$work/migrate.log" 2>&1 || fail "ocelot migrate"
(
  set -a
  # shellcheck source=/dev/null
  . "$work/first/environment"
  exec "$bin/ocelot-admin" --config "$work/first/server.yaml"
) >"$work/admin.log" 2>&1 &
daemons[admin]=$!
await "ocelot-admin is ready" curl -sf "http://$here:$port/readyz"

# Two more, each with an /etc as the package leaves it. What systemd does there the test does itself.
cat >"$work/host" <<'SH'
mount --bind "$1/etc" /etc && hostname "$2" || exit 1
[ ! -d /run/systemd ] || mount -t tmpfs none /run/systemd || exit 1
shift 2
exec "$@"
SH
there() { # HOST COMMAND…: in place of this shell, so that it can be ended
  exec env PATH="$bin:$PATH" nsenter --net="/run/netns/$bridge-$1" \
    unshare --mount --uts --propagation private sh "$work/host" "$work/$1" "$@"
}
join() { # HOST TAG
  mkdir -p "$work/$1/data" "$work/$1/run"
  cp -a /etc "$work/$1/etc"
  rm -rf "$work/$1/etc/ocelot" && mkdir "$work/$1/etc/ocelot" && cp "$source/etc/server.yaml" "$work/$1/etc/ocelot/"
  printf '%s\n' "OCELOT_DATA_DIR=$work/$1/data" "OCELOT_RUN_DIR=$work/$1/run" >"$work/$1/etc/default/ocelot"
  printf '%s\n' "127.0.0.1 localhost" "${address[$1]} $1.lan $1" >"$work/$1/etc/hosts"
  ours workers add "$1" --tags "$2" --slots 2 --config "$work/first/server.yaml" >"$work/$1/command" 2>"$work/$1.add.log" ||
    fail "workers add $1"
  (there "$1" sh) <"$work/$1/command" >"$work/$1.join.log" 2>&1 || fail "the command, pasted on $1"
  grep -q "ocelot-admin is not reached" "$work/$1.join.log" && fail "the admin was not reached by $1"
  grep -q "start it with:  sudo systemctl enable --now ocelot-worker" "$work/$1.join.log" || fail "nothing says how to start it"
  (there "$1" ocelot image import "$rootfs" ocelot.local/busybox --data "$work/$1/data") >"$work/$1.import.log" 2>&1 || fail "no image"
  (there "$1" sh -c 'set -a && . /etc/default/ocelot && exec ocelot-worker') >"$work/$1.log" 2>&1 &
  daemons[$1]=$!
  await "ocelot-worker of $1 answers the first host" curl -sf "http://${address[$1]}:7701/healthz"
}
join build-2 two
join build-3 three

listed() { ours workers 2>/dev/null | grep -E "^$1 +0/2 .* $2 " >/dev/null; }
await "build-2 is listed" listed build-2 two
await "build-3 is listed" listed build-3 three
[ "$(ours workers --json | jq '.workers | length')" = 2 ] || fail "there is another worker: $(ours workers)"
runs main two
runs other three
[ "$(ours list --all --json | jq -c '[.builds[] | [.number, .state]]')" = '[[3,"passed"],[2,"passed"],[1,"passed"]]' ] ||
  fail "the builds are: $(ours list --all)"

grep -q 'public_url: "http://build-2.lan:7701"' "$work/build-2/etc/ocelot/server.yaml" || fail "build-2 does not give its full name"
[ "$(stat -c %a "$work"/build-2/etc/ocelot/{secret.key,store.password} | sort -u)" = 600 ] || fail "others may read its keys"
(there build-2 sh) <"$work/build-2/command" >"$work/again" 2>&1 && fail "it joined twice"
grep -q "is there already" "$work/again" || fail "what the second time says: $(cat "$work/again")"
echo "1 passed, 0 failed, 0 skipped"
