#!/usr/bin/env bash
# The previous version, upgraded in the middle of a build as its package upgrades it: new files in place of those that run,
# then one daemon after the other. The build goes on as the same attempt, no line of its log missing or there twice. Then
# what a program says that does not fit what it finds.
#
#   OCELOT_BIN=build/dev/bin [OCELOT_PREVIOUS_BIN=DIR] tests/live/upgrade.sh
#
# The previous version's programs are those in OCELOT_PREVIOUS_BIN (their plugins in ../lib/ocelot/plugins beside it).
# Without it they are copies of the programs under test with another version written into them: what programs and daemons
# do in an upgrade is then tested, and whether their versions are told apart, and not whether an earlier release wrote
# other formats. A schema that is newer than the daemons is made here, by hand.
suite=UpgradeInTheMiddleOfABuild name=$suite
# shellcheck source=tests/live/support.sh
. "$(dirname "$0")/support.sh"
needs curl jq git busybox perl python3 sha256sum

# ── the two versions, and the folder in which one takes the other's place ──

previous=${OCELOT_PREVIOUS_BIN:-}
versionOf() { "$1/ocelot-worker" --version | sed 's/.* //'; }
new=$(versionOf "$bin")
if [ -z "$previous" ]; then
  # Of the same length: 0.1.0 → 0.0.9.
  old=$(perl -e '$_ = shift; s/([1-9])((?:\.0)*)$/($1 - 1) . $2 =~ s|0|9|gr/e; print' "$new")
  mkdir -p "$work/previous/bin" "$work/previous/lib/ocelot/plugins"
  for file in "$bin"/* "$bin"/../lib/ocelot/plugins/*; do
    copy=$work/previous/${file#"$bin/"}
    case $file in *.so) copy=$work/previous/lib/ocelot/plugins/${file##*/} ;; *) copy=$work/previous/bin/${file##*/} ;; esac
    OLD=$old NEW=$new perl -0777 -pe 's/(?<![\d.])\Q$ENV{NEW}\E(?![\d.])/$ENV{OLD}/g' "$file" >"$copy" && chmod 755 "$copy"
  done
  previous=$work/previous/bin
fi
old=$(versionOf "$previous")
different=yes
[ "$old" != "$new" ] || different=no
[ $different = yes ] || [ -n "${OCELOT_PREVIOUS_BIN:-}" ] || fail "the copies call themselves $old, as the programs do"

# A package manager renames each file into its place: what runs goes on with the one it has.
put() { # FOLDER OF PROGRAMS
  local file place
  for file in "$1"/* "$1"/../lib/ocelot/plugins/*; do
    place=$work/ocelot/bin
    case $file in *.so) place=$work/ocelot/lib/ocelot/plugins ;; esac
    { mkdir -p "$place" && cp "$file" "$place/new" && mv "$place/new" "$place/${file##*/}"; } || fail "no place for $file"
  done
}
programs=$work/ocelot/bin
ours() { "$programs/ocelot" "$@"; }

# ── builds whose stages wait for a word ──

mkdir -p "$work/home" "$work/repo"
export HOME=$work/home
unset OCELOT_URL OCELOT_TOKEN OCELOT_DATA_DIR XDG_CONFIG_HOME
rootfs=$work/rootfs
mkdir -p "$rootfs"/{bin,etc,root,tmp}
cp "$(command -v busybox)" "$rootfs/bin/busybox"
for applet in sh echo sleep; do ln -s busybox "$rootfs/bin/$applet"; done
echo 'root:x:0:0::/root:/bin/sh' >"$rootfs/etc/passwd"
git -C "$work/repo" init -q -b main
branch() { # NAME, with the file on standard input
  git -C "$work/repo" checkout -q -B "$1"
  cat >"$work/repo/ocelot.yml"
  git -C "$work/repo" add -A
  git -C "$work/repo" -c user.name=t -c user.email=t@example.org commit -qm "$1"
}
each=200 # lines between two words
branch short <<'YAML'
image: ocelot.local/busybox
stages:
  - {name: test, script: echo hello}
YAML
branch main <<YAML
image: ocelot.local/busybox
stages:
  - name: first
    script: &lines |
      n=\$(cat /workspace/n 2>/dev/null || echo 0)
      for word in \$WORDS; do
        for i in $(seq -s ' ' $each); do n=\$((n + 1)); echo "line \$n"; done
        until [ -e /workspace/go-\$word ]; do sleep 0.05; done
      done
      echo \$n >/workspace/n
    env: {WORDS: "1 2 3"}
  - {name: second, script: *lines, env: {WORDS: "4 5"}}
YAML
ln -s busybox "$rootfs/bin/cat"

begin() { # BRANCH → its id
  ours build repo --branch "$1" --json --detach 2>"$work/begin.log" | jq -r .id
}
log() { curl -sS --max-time 60 -H "Authorization: Bearer $OCELOT_TOKEN" "$OCELOT_URL/v1/builds/$1/log?via=admin"; }
told() { log "$1" | grep -q "line $2\$"; } # ID LINE
shown() { curl -sS --max-time 60 -H "Authorization: Bearer $OCELOT_TOKEN" "$OCELOT_URL/v1/builds/$1"; }
is() { [ "$(shown "$1" | jq -r .state)" = "$2" ]; }                     # ID STATE
go() { touch "$data/builds/$1/workspace/go-$2" || fail "no workspace"; } # ID WORD
processOf() { find /proc/[0-9]*/fd -lname "$data/builds/$1/lock" 2>/dev/null | head -1 | cut -d/ -f3; }
killProcess() { # ID: the build's own, not its container
  local pid
  pid=$(processOf "$1")
  [ -n "$pid" ] || fail "no process works on $1"
  kill -KILL "$pid"
}
whole() { # ID: what it wrote is there, each line once and in its place
  log "$1" | grep -oE 'line [0-9]+$' | cmp - <(seq -f 'line %.0f' $((5 * each))) >"$work/differs" 2>&1 ||
    fail "the log is not what was written: $(cat "$work/differs")"
  [ "$(shown "$1" | jq -c '[.attempt, [.stages[].state]]')" = '[1,["passed","passed"]]' ] || fail "it ended as $(shown "$1")"
}
passes() { # BRANCH
  local id
  id=$(begin "$1")
  await "the build $id of $1 passes" is "$id" passed
}
runsAs() { # VERSION FIT: what is said of the worker
  ours workers --json 2>/dev/null | jq -e --arg version "$1" --arg is "$2" \
    '.workers | length == 1 and .[0].version == $version and .[0].version_is == $is'
}
fit=older
[ $different = yes ] || fit=same

# ── daemons of their own, and PostgreSQL ──

start() { # DAEMON
  "$programs/ocelot-$1" --config "$work/server.yaml" >>"$work/$1.log" 2>&1 &
  daemons[$1]=$!
  await "ocelot-$1 is ready" curl -sf "http://127.0.0.1:${ports[$1]}/readyz"
}
owner() { psql --no-psqlrc --quiet --no-align --tuples-only --set ON_ERROR_STOP=1 "$OCELOT_TEST_POSTGRES" "$@" >/dev/null; }
unfit() { # WORDS PROGRAM ARGUMENT…: it ends so that systemd does not start it again
  local words=$1 said status=0
  shift
  said=$(timeout 60 "$programs/$1" "${@:2}" 2>&1) || status=$?
  [ $status = 78 ] || fail "$1 ended with $status, not 78: $said"
  [[ $said == *"$words"*"ocelot $new knows schemas up to $schema"* ]] || fail "$1 said: $said"
}

onPostgres() {
  data=$work/data
  local port=$((21000 + RANDOM % 8000)) daemon build
  declare -gA ports=([admin]=$port [worker]=$((port + 1)))
  (umask 077 && head -c 32 /dev/urandom >"$work/key" && tr ' ' '\n' <<<"$OCELOT_TEST_POSTGRES" | sed -n 's/^password=//p' >"$work/password")
  cat >"$work/server.yaml" <<YAML
data_dir: $data
run_dir: $work/run
store: {kind: postgres, dsn: "$(tr ' ' '\n' <<<"$OCELOT_TEST_POSTGRES" | grep -E '^(host|port|dbname|user)=' | paste -sd' ')"}
secrets: {key_file: $work/key}
plugins: {runtimes: [oci]}
admin: {listen: "127.0.0.1:$port"}
worker: {listen: "127.0.0.1:$((port + 1))", admin_url: "http://127.0.0.1:$port", slots: 2, local_repos: [$work], network: none, min_free_disk: 1MiB}
YAML
  export OCELOT_STORE__PASSWORD_FILE=$work/password
  put "$previous"
  for daemon in admin worker; do start $daemon; done
  OCELOT_TOKEN=oct_$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
  export OCELOT_TOKEN OCELOT_URL=http://127.0.0.1:$port
  owner -c "INSERT INTO tokens (id, name, role, sha256_hex, created_at) VALUES ('t', 't', 'admin',
    '$(printf %s "$OCELOT_TOKEN" | sha256sum | cut -d' ' -f1)', 0)"
  ours image import "$rootfs" ocelot.local/busybox --config "$work/server.yaml" >"$work/import.log" 2>&1 || fail "no image"
  ours repos add "$work/repo" --name repo >"$work/repo.log" 2>&1 || fail "no repository"
  passes short
  build=$(begin main)
  await "the build runs" told "$build" $each

  # The package is there, and nothing has been restarted.
  put "$bin"
  passes short
  # The admin: the worker of the previous version goes on beside it, and takes builds.
  end admin
  go "$build" 1
  start admin
  await "the admin sees a worker of $old" runsAs "$old" $fit
  await "the log goes on" told "$build" $((2 * each))
  passes short
  # A later version expands the schema, as an admin of one does: whoever works with it goes on.
  schema=$(ours version --server 2>/dev/null | sed -n 's/.*(schema \([0-9]*\)).*/\1/p')
  [ -n "$schema" ] || fail "no schema is named by: $(ours version --server 2>&1)"
  owner -c "BEGIN; ALTER TABLE builds ADD COLUMN of_later TEXT NOT NULL DEFAULT '';
    INSERT INTO schema_version (version, program, applied_at, works_from) VALUES ($((schema + 1)), '99.1.0', 0, $schema); COMMIT" ||
    fail "the schema was not expanded"
  passes short
  # The worker: killed, as a restart that does not wait for the builds kills it.
  end worker KILL
  go "$build" 2
  start worker
  await "the worker is of $new" runsAs "$new" same
  await "the log goes on" told "$build" $((3 * each))
  passes short
  # The build's own process, still of the previous version, goes too: what it wrote is read by the new one.
  killProcess "$build"
  go "$build" 3
  await "the log goes on" told "$build" $((4 * each))
  go "$build" 4
  await "the log goes on" told "$build" $((5 * each))
  go "$build" 5
  await "the build passes" is "$build" passed
  whole "$build"
  build=$(begin main)
  for word in 1 2 3 4 5; do
    await "the build runs" told "$build" $((word * each))
    go "$build" $word
  done
  await "a build wholly of $new passes" is "$build" passed
  whole "$build"
  passed=$((passed + 1))
}

# Builds whose files are of a version that is not known here: each ends alone, and says so.
filesOfAnother() {
  local order cursor id
  order=$(begin main) cursor=$(begin main)
  for id in "$order" "$cursor"; do await "the build runs" told "$id" $each; done
  await "there is a cursor" test -s "$work/run/builds/$cursor/cursor"
  for id in "$order" "$cursor"; do noContainer "$id" && fail "no container of $id was seen while it ran"; done
  end worker KILL
  for id in "$order" "$cursor"; do killProcess "$id"; done
  jq -c '.format = 2 | .version = "99.1.0"' "$data/builds/$order/spec.json" >"$work/spec" && mv "$work/spec" "$data/builds/$order/spec.json"
  sed -i '1s/^ocelot-cursor [0-9]* /ocelot-cursor 99 /' "$work/run/builds/$cursor/cursor"
  start worker
  for id in "$order" "$cursor"; do await "the build $id ends" is "$id" error; done
  [[ $(shown "$order" | jq -r .sentence) == *"ocelot 99.1.0 wrote it in format 2, and ocelot $new reads format 1"* ]] ||
    fail "of the order was said: $(shown "$order" | jq -r .sentence)"
  [[ $(shown "$cursor" | jq -r .sentence) == *"version 99; ocelot-worker $new reads version "* ]] ||
    fail "of the cursor was said: $(shown "$cursor" | jq -r .sentence)"
  for id in "$order" "$cursor"; do
    [ "$(shown "$id" | jq .attempt)" = 1 ] || fail "it was run again: $(shown "$id")"
    await "nothing of $id is left" test ! -e "$data/builds/$id"
    await "no container of $id is left" noContainer "$id"
  done
  passes short
  passed=$((passed + 1))
}
noContainer() { ! grep -qsz "^OCELOT_BUILD_ID=$1\$" /proc/[0-9]*/environ; }

# A schema that leaves this version behind.
schemaOfAnother() {
  local daemon
  for daemon in worker admin; do end $daemon; done
  owner -c "INSERT INTO schema_version (version, program, applied_at, works_from) VALUES ($((schema + 2)), '99.2.0', 0, $((schema + 2)))"
  for daemon in admin worker hookhandler poller; do
    unfit "schema $((schema + 2)) of ocelot 99.2.0" ocelot-$daemon --config "$work/server.yaml" --set $daemon.listen=127.0.0.1:0
  done
  passed=$((passed + 1))
}

# ── `ocelot up`, and SQLite ──

goUp() {
  "$programs/ocelot" up --data "$data" --port "$port" >"$work/up.log" 2>&1 &
  daemons[up]=$!
  await "ocelot up" grep -q "Ocelot is up" "$work/up.log"
}
onSqlite() {
  local build
  data=$work/up port=$((29100 + RANDOM % 900))
  unset OCELOT_URL OCELOT_TOKEN
  mkdir -p "$data"
  cat >"$data/server.yaml" <<YAML
run_dir: $data/run
plugins: {runtimes: [oci]}
worker: {slots: 2, local_repos: [$work], network: none, min_free_disk: 1MiB}
YAML
  put "$previous"
  ours image import "$rootfs" ocelot.local/busybox --data "$data" >"$work/import.log" 2>&1 || fail "no image"
  goUp
  ours repos add "$work/repo" --name repo >"$work/repo.log" 2>&1 || fail "no repository"
  OCELOT_TOKEN=$(sed -n 's/.*\(oct_[0-9a-zA-Z]*\).*/\1/p' "$(find "$HOME" -name 'contexts*' -type f | head -1)" | head -1)
  export OCELOT_TOKEN OCELOT_URL=http://127.0.0.1:$port
  passes short
  build=$(begin main)
  await "the build runs" told "$build" $each
  put "$bin"
  end up KILL
  go "$build" 1
  goUp
  await "the worker is of $new" runsAs "$new" same
  await "the log goes on" told "$build" $((2 * each))
  passes short
  killProcess "$build"
  for word in 2 3 4; do
    go "$build" $word
    await "the log goes on" told "$build" $(((word + 1) * each))
  done
  go "$build" 5
  await "the build passes" is "$build" passed
  whole "$build"
  end up
  schema=$(python3 -c "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]); n = db.execute('SELECT max(version) FROM schema_version').fetchone()[0]
db.execute('INSERT INTO schema_version (version, program, applied_at, works_from) VALUES (?, ?, 0, ?)', (n + 1, '99.1.0', n + 1)); db.commit(); print(n)" \
    "$(find "$data" -name '*.db' -size +0 | head -1)")
  unfit "schema $((schema + 1)) of ocelot 99.1.0" ocelot-admin --set "data_dir=$data" --set "run_dir=$data/run" --set admin.listen=127.0.0.1:0
  passed=$((passed + 1))
}

name=${suite}OnSqlite
onSqlite
name=${suite}OnPostgres
needs psql
engine postgres
onPostgres
name=${suite}AndFilesOfAnother
filesOfAnother
name=${suite}AndASchemaOfAnother
schemaOfAnother
echo "$passed passed, 0 failed, 0 skipped"
