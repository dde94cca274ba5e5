#!/bin/bash
# A Docker Engine with its own bridge, no iptables rules and no forwarding: the machine's network stays as it is, so a
# container of this engine reaches the machine and other containers, and nothing beyond.
# shellcheck disable=SC2154  # sourced by scripts/engines, whose variables these are

bridgeName() { echo "oce$(echo "$home" | cksum | cut -c1-8)"; }

makeBridge() {
  local bridge net
  bridge=$(bridgeName)
  ip link delete "$bridge" 2>/dev/null || true
  for net in $(seq 200 250); do
    ip -o addr show | grep -q " 10\.213\.$net\." && continue
    ip link add "$bridge" type bridge || die "no bridge can be made: start docker needs root"
    ip addr add "10.213.$net.1/24" dev "$bridge"
    ip link set "$bridge" up
    return
  done
  die "10.213.200.0/24 to 10.213.250.0/24 are all taken"
}

engineApi() { curl -fsS --max-time 60 --unix-socket "$home/sock" "http://localhost/$1" "${@:2}"; }

prepare_docker() {
  need dockerd docker.io
  need containerd containerd
  need curl curl
  need ip iproute2
  [ ${#home} -le 80 ] || die "$home is too long for a unix socket; give a shorter DIR"
  makeBridge
  echo '{}' >"$home/daemon.json" # not the machine's /etc/docker/daemon.json
}

run_docker() {
  runs "$home/docker.pid" || { endContainerd; rm -f "$home/dockerd.own"; }
  launch docker dockerd --host "unix://$home/sock" --data-root "$home/data" --exec-root "$home/exec" \
    --pidfile "$home/dockerd.own" --config-file "$home/daemon.json" --bridge "$(bridgeName)" \
    --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --userland-proxy=false \
    --containerd-namespace "ocelot-$(bridgeName)" --containerd-plugins-namespace "ocelot-$(bridgeName)-plugins"
  await docker 90 engineApi _ping
  print DOCKER_HOST "unix://$home/sock"
  print OCELOT_TEST_DOCKER "unix://$home/sock"
}

# A killed dockerd leaves the containerd that it started.
endContainerd() {
  local pid
  if pid=$(cat "$home/exec/containerd/containerd.pid" 2>/dev/null) &&
     grep -qF "$home/exec/" "/proc/$pid/cmdline" 2>/dev/null; then
    echo "$pid $(startTime "$pid")" >"$home/containerd.pid"
    end "$home/containerd.pid" TERM 10
  fi
  rm -f "$home/exec/containerd/containerd.pid"
}

stop_docker() {
  local id point
  if runs "$home/docker.pid"; then
    for id in $(engineApi 'containers/json' | grep -o '"Id":"[0-9a-f]\{64\}"' | cut -d'"' -f4); do
      engineApi "containers/$id?force=1&v=1" -X DELETE || true
    done
  fi
  end "$home/docker.pid" TERM 30
  endContainerd
  cut -d' ' -f5 /proc/self/mountinfo | grep -F "$home/" | sort -r | while read -r point; do umount "$point" || true; done
  ip link delete "$(bridgeName)" 2>/dev/null || true
}
