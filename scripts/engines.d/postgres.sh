#!/bin/bash
# PostgreSQL as Debian has it.
# shellcheck disable=SC2154  # sourced by scripts/engines, whose variables these are

postgresPrograms() { find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1; }

# Root is what PostgreSQL refuses to be.
as=()
[ "$(id -u)" != 0 ] || as=(setpriv --reuid postgres --regid postgres --init-groups)

prepare_postgres() {
  local bin
  bin=$(postgresPrograms)
  [ -x "$bin/postgres" ] || die "postgres is missing; install it with: apt-get install postgresql"
  need setpriv util-linux
  keep port "$(freePort)"
  keep password "$(newPassword)"
  install -d -m 0755 "$home/run"
  echo "${kept[password]}" >"$home/run/password"
  [ "$(id -u)" != 0 ] || chown -R postgres "$home/run"
  env -C / "${as[@]}" "$bin/initdb" -D "$home/run/data" -U ocelot -A scram-sha-256 --pwfile="$home/run/password" -E UTF8 --no-locale \
    --no-sync >>"$home/postgres.log" 2>&1 || { tail -n 20 "$home/postgres.log" >&2; die "initdb failed"; }
  rm -f "$home/run/password"
  echo "host all all samenet scram-sha-256" >>"$home/run/data/pg_hba.conf"
}

run_postgres() {
  local bin
  bin=$(postgresPrograms)
  launch postgres env -C / "${as[@]}" "$bin/postgres" -D "$home/run/data" -p "${kept[port]}" \
    -c "listen_addresses=${kept[address]}" -c "unix_socket_directories="
  export PGPASSWORD=${kept[password]}
  local psql=("$bin/psql" -q -h "${kept[address]}" -p "${kept[port]}" -U ocelot)
  await postgres 60 "${psql[@]}" -d postgres -c 'select 1'
  [ -f "$home/env" ] || "${psql[@]}" -d postgres -c 'create database ocelot'
  print OCELOT_TEST_POSTGRES "host=${kept[address]} port=${kept[port]} user=ocelot password=${kept[password]} dbname=ocelot"
}

stop_postgres() { end "$home/postgres.pid" INT 30; }
