#!/bin/bash
# A container registry: two doors to one store, an open one, to push to, and one that asks for a password.
# shellcheck disable=SC2154  # sourced by scripts/engines, whose variables these are

registryConfig() { # port, auth section
  cat <<CONFIG
version: 0.1
log: {level: warn}
storage: {filesystem: {rootdirectory: $home/data}, delete: {enabled: true}}
http: {addr: "${kept[address]}:$1"}
$2
CONFIG
}

prepare_registry() {
  need docker-registry docker-registry
  need curl curl
  need perl perl
  keep password "$(newPassword)"
  keep open "$(freePort)"
  keep closed "$(freePort)"
  perl -e 'print "ocelot:", crypt($ARGV[0], "\$2b\$04\$abcdefghijklmnopqrstuu"), "\n"' "${kept[password]}" >"$home/htpasswd"
  registryConfig "${kept[open]}" "" >"$home/open.yml"
  registryConfig "${kept[closed]}" "auth: {htpasswd: {realm: ocelot, path: $home/htpasswd}}" >"$home/closed.yml"
}

run_registry() {
  launch registry docker-registry serve "$home/open.yml"
  launch registry-closed docker-registry serve "$home/closed.yml"
  await registry 30 get "http://${kept[address]}:${kept[open]}/v2/"
  await registry-closed 30 get -u "ocelot:${kept[password]}" "http://${kept[address]}:${kept[closed]}/v2/"
  print OCELOT_TEST_REGISTRY "${kept[address]}:${kept[open]}"
  print OCELOT_TEST_REGISTRY_CLOSED "${kept[address]}:${kept[closed]}"
  print OCELOT_TEST_REGISTRY_USER ocelot
  print OCELOT_TEST_REGISTRY_PASSWORD "${kept[password]}"
}
