#!/bin/bash
# A Vault server as one runs it: raft storage, initialised and unsealed by this script (with one key, which is printed so
# that a test can seal it and open it again), on http and https, with its PostgreSQL plugin in the catalogue. Nothing is
# mounted: a test mounts what it needs.
# shellcheck disable=SC2154  # sourced by scripts/engines, whose variables these are

vaultApi() { # method, path, body
  get -X "$1" -H "X-Vault-Token: ${kept[token]:-}" -d "${3:-}" "http://${kept[address]}:${kept[http]}/v1/$2"
}
vaultStatus() { get "http://${kept[address]}:${kept[http]}/v1/sys/seal-status"; }
vaultActive() { get "http://${kept[address]}:${kept[http]}/v1/sys/health"; }

prepare_vault() {
  local name path plugin
  need curl curl
  need jq jq
  path=$(program vault vault)
  keep vault "$path"
  plugin=$(program postgresql-database-plugin vault)
  for name in http https cluster cluster_tls; do keep "$name" "$(freePort)"; done
  mkdir -p "$home/data" "$home/plugins" "$home/user"
  install -m 0755 "$plugin" "$home/plugins/postgresql-database-plugin"
  makeCertificates vault
  cat >"$home/vault.hcl" <<CONFIG
ui = false
disable_mlock = true
log_level = "warn"
plugin_directory = "$home/plugins"
api_addr = "http://${kept[address]}:${kept[http]}"
cluster_addr = "https://${kept[address]}:${kept[cluster]}"
storage "raft" {
  path = "$home/data"
  node_id = "one"
  performance_multiplier = 1
}
listener "tcp" {
  address = "${kept[address]}:${kept[http]}"
  cluster_address = "${kept[address]}:${kept[cluster]}"
  tls_disable = true
}
listener "tcp" {
  address = "${kept[address]}:${kept[https]}"
  cluster_address = "${kept[address]}:${kept[cluster_tls]}"
  tls_cert_file = "$home/tls/server.pem"
  tls_key_file = "$home/tls/server.key"
}
CONFIG
}

run_vault() {
  local answer sum
  launch vault env HOME="$home/user" "${kept[vault]}" server -config "$home/vault.hcl"
  await vault 60 vaultStatus
  if [ -z "${kept[token]:-}" ]; then
    answer=$(vaultApi PUT sys/init '{"secret_shares": 1, "secret_threshold": 1}')
    keep unseal "$(jq -r '.keys_base64[0]' <<<"$answer")"
    keep token "$(jq -r .root_token <<<"$answer")"
  fi
  vaultApi PUT sys/unseal "{\"key\": \"${kept[unseal]}\"}" >/dev/null
  await vault 60 vaultActive
  if [ ! -f "$home/env" ]; then
    sum=$(sha256sum "$home/plugins/postgresql-database-plugin" | cut -d' ' -f1)
    vaultApi PUT sys/plugins/catalog/database/postgresql-database-plugin \
      "{\"sha256\": \"$sum\", \"command\": \"postgresql-database-plugin\"}"
  fi
  print OCELOT_TEST_VAULT "http://${kept[address]}:${kept[http]}"
  print OCELOT_TEST_VAULT_TLS "https://${kept[address]}:${kept[https]}"
  print OCELOT_TEST_VAULT_CA "$home/tls/ca.pem"
  print OCELOT_TEST_VAULT_TOKEN "${kept[token]}" # root's
  print OCELOT_TEST_VAULT_UNSEAL_KEY "${kept[unseal]}"
  print OCELOT_TEST_VAULT_PROGRAM "${kept[vault]}"
  print OCELOT_TEST_VAULT_PLUGINS "$home/plugins"
}

# A Vault that was killed has left its plugins behind.
stop_vault() {
  local exe pid
  endProcesses
  for exe in /proc/[0-9]*/exe; do
    [ "$(readlink "$exe" 2>/dev/null)" = "$home/plugins/postgresql-database-plugin" ] || continue
    pid=${exe#/proc/}
    kill -KILL "${pid%/exe}" 2>/dev/null || true
  done
}
