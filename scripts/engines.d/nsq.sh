#!/bin/bash
# nsqd, OCELOT_ENGINE_NSQD of them (2), nsqlookupd and nsqadmin. Processes: nsqlookupd nsqd-1 nsqd-2 … nsqadmin; the data
# of nsqd-1 lies in DIR/nsq/nsqd-1. OCELOT_ENGINE_NSQD_OPTIONS are further options of each nsqd.
# shellcheck disable=SC2154  # sourced by scripts/engines, whose variables these are

prepare_nsq() {
  local i path
  need curl curl
  # Found, or built, before anything else: what cannot be had is told at once.
  for i in nsqd nsqlookupd nsqadmin; do
    path=$(program "$i" nsq)
    keep "$i" "$path"
  done
  keep count "${OCELOT_ENGINE_NSQD:-2}"
  for i in lookup lookup_http admin; do keep "$i" "$(freePort)"; done
  for i in $(seq "${kept[count]}"); do
    keep "nsqd_$i" "$(freePort)"
    keep "nsqd_http_$i" "$(freePort)"
  done
}

run_nsq() {
  local i here=${kept[address]} tcp=() http=() options=()
  launch nsqlookupd "${kept[nsqlookupd]}" -tcp-address="$here:${kept[lookup]}" -http-address="$here:${kept[lookup_http]}" \
    -broadcast-address="$here"
  await nsqlookupd 30 get "http://$here:${kept[lookup_http]}/ping"
  read -ra options <<<"${OCELOT_ENGINE_NSQD_OPTIONS:-}"
  for i in $(seq "${kept[count]}"); do
    mkdir -p "$home/nsqd-$i"
    launch "nsqd-$i" "${kept[nsqd]}" -tcp-address="$here:${kept[nsqd_$i]}" -http-address="$here:${kept[nsqd_http_$i]}" \
      -broadcast-address="$here" -lookupd-tcp-address="$here:${kept[lookup]}" -data-path="$home/nsqd-$i" -node-id="$i" "${options[@]}"
    tcp+=("$here:${kept[nsqd_$i]}")
    http+=("$here:${kept[nsqd_http_$i]}")
  done
  launch nsqadmin "${kept[nsqadmin]}" -http-address="$here:${kept[admin]}" -lookupd-http-address="$here:${kept[lookup_http]}"
  for i in $(seq "${kept[count]}"); do await "nsqd-$i" 30 get "http://$here:${kept[nsqd_http_$i]}/ping"; done
  await nsqadmin 30 get "http://$here:${kept[admin]}/ping"
  print OCELOT_TEST_NSQD "$(IFS=, && echo "${tcp[*]}")"
  print OCELOT_TEST_NSQD_HTTP "$(IFS=, && echo "${http[*]}")"
  print OCELOT_TEST_NSQD_PROGRAM "${kept[nsqd]}"
  print OCELOT_TEST_NSQLOOKUPD "$here:${kept[lookup_http]}"
  print OCELOT_TEST_NSQLOOKUPD_PROGRAM "${kept[nsqlookupd]}"
  print OCELOT_TEST_NSQADMIN "http://$here:${kept[admin]}"
}
