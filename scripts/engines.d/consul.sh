#!/bin/bash
# consul: one server without access control, on http. consul-acl: another one that denies what no token allows, on http and
# https. Both keep their data over a kill, take sessions of a second, and have no DNS, gRPC or mesh.
# shellcheck disable=SC2154  # sourced by scripts/engines, whose variables these are

consulConfig() { # more settings, ending in a comma, or nothing
  cat <<CONFIG
{
  "server": true, "bootstrap_expect": 1, "data_dir": "$home/data", "node_name": "$engine", "log_level": "warn",
  "bind_addr": "${kept[address]}", "client_addr": "${kept[address]}", "advertise_addr": "${kept[address]}",
  "disable_update_check": true, "enable_debug": false, "connect": {"enabled": false}, "peering": {"enabled": false},
  "performance": {"raft_multiplier": 1}, "session_ttl_min": "1s", "leave_on_terminate": false, $1
  "ports": {"http": ${kept[http]}, "https": ${kept[https]}, "server": ${kept[server]}, "serf_lan": ${kept[serf]},
            "serf_wan": -1, "dns": -1, "grpc": -1, "grpc_tls": -1}
}
CONFIG
}

prepareConsul() {
  local name path
  need curl curl
  path=$(program consul consul)
  keep consul "$path"
  for name in http server serf; do keep "$name" "$(freePort)"; done
}

prepare_consul() {
  prepareConsul
  keep https -1
  consulConfig "" >"$home/consul.json"
}

prepare_consul_acl() {
  prepareConsul
  keep https "$(freePort)"
  keep token "$(newUuid)"
  makeCertificates server.dc1.consul
  (umask 077 && consulConfig "\"acl\": {\"enabled\": true, \"default_policy\": \"deny\", \"enable_token_persistence\": true,
    \"tokens\": {\"initial_management\": \"${kept[token]}\", \"agent\": \"${kept[token]}\"}},
  \"tls\": {\"https\": {\"ca_file\": \"$home/tls/ca.pem\", \"cert_file\": \"$home/tls/server.pem\",
    \"key_file\": \"$home/tls/server.key\", \"verify_incoming\": false}}," >"$home/consul.json")
}

consulLeads() { get "http://${kept[address]}:${kept[http]}/v1/status/leader" | grep -q '[0-9]'; }
# Reads wait for the leader to have come into its own; a write proves it.
consulWrites() { get -X PUT -H "X-Consul-Token: ${kept[token]:-}" -d '' "http://${kept[address]}:${kept[http]}/v1/kv/ready"; }

runConsul() {
  launch "$engine" "${kept[consul]}" agent -config-file "$home/consul.json"
  await "$engine" 60 consulLeads
  await "$engine" 60 consulWrites
  print OCELOT_TEST_CONSUL_PROGRAM "${kept[consul]}"
}

run_consul() {
  runConsul
  print OCELOT_TEST_CONSUL "http://${kept[address]}:${kept[http]}"
}

run_consul_acl() {
  runConsul
  print OCELOT_TEST_CONSUL_ACL "http://${kept[address]}:${kept[http]}"
  print OCELOT_TEST_CONSUL_TLS "https://${kept[address]}:${kept[https]}"
  print OCELOT_TEST_CONSUL_CA "$home/tls/ca.pem"
  print OCELOT_TEST_CONSUL_TOKEN "${kept[token]}" # may do everything
}
