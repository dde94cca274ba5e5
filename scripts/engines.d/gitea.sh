#!/bin/bash
# Gitea, a forge: repositories, hooks, statuses and pull requests over its API, as an administrator called ocelot. It
# refuses to be root; as root it is started as nobody.
# shellcheck disable=SC2154  # sourced by scripts/engines, whose variables these are

user=$(id -un)
drop=()
if [ "$user" = root ]; then
  user=nobody
  drop=(setpriv --reuid nobody --regid nogroup --clear-groups)
fi
as=(env -C "$home/run" "HOME=$home/run" "USER=$user" "${drop[@]}")

prepare_gitea() {
  local path site
  need curl curl
  need git git
  need setpriv util-linux
  path=$(program gitea gitea)
  keep gitea "$path"
  site=$(dirname "${kept[gitea]}")/gitea-site
  keep port "$(freePort)"
  keep password "$(newPassword)"
  install -d -m 0755 "$home/run"
  cat >"$home/run/app.ini" <<CONFIG
RUN_USER = $user
WORK_PATH = $home/run
[server]
$([ ! -d "$site" ] || echo "STATIC_ROOT_PATH = $site")
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${kept[port]}
ROOT_URL = http://127.0.0.1:${kept[port]}/
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = $home/run/gitea.db
[security]
INSTALL_LOCK = true
SECRET_KEY = $(newPassword)
[webhook]
ALLOWED_HOST_LIST = loopback
[log]
LEVEL = warn
CONFIG
  [ "$(id -u)" != 0 ] || chown -R nobody:nogroup "$home/run"
}

run_gitea() {
  launch gitea "${as[@]}" "${kept[gitea]}" -c "$home/run/app.ini" web
  await gitea 90 get "http://127.0.0.1:${kept[port]}/api/healthz"
  if [ -z "${kept[token]:-}" ]; then
    "${as[@]}" "${kept[gitea]}" -c "$home/run/app.ini" admin user create --username ocelot --password "${kept[password]}" \
      --email ocelot@example.com --admin --must-change-password=false >>"$home/gitea.log" 2>&1
    keep token "$("${as[@]}" "${kept[gitea]}" -c "$home/run/app.ini" admin user generate-access-token -u ocelot --scopes all \
      --raw 2>>"$home/gitea.log" | tail -1)"
  fi
  print OCELOT_TEST_GITEA "http://127.0.0.1:${kept[port]}"
  print OCELOT_TEST_GITEA_USER ocelot
  print OCELOT_TEST_GITEA_PASSWORD "${kept[password]}"
  print OCELOT_TEST_GITEA_TOKEN "${kept[token]}"
}
