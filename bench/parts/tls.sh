# one_round NAME FLAGS...: full or resumed handshakes with one server, each with a request; prints microseconds of CPU for one, and how many a second.
one_round() {
  local name=$1 before after n=$((turn ? ${HANDSHAKES:-1600} : 160)) took
  shift
  before=$(family_cpu "${pid_of[$name]}")
  took=$(taskset -c 1 "$work/handshakes" -n "$n" "$@" "$work/tls/cert.pem" "https://127.0.0.1:$((port_of[$name] + 1))/1k.bin")
  after=$(family_cpu "${pid_of[$name]}")
  awk -v us=$((after - before)) -v n="$n" -v s="$took" 'BEGIN { printf "%.1f %d\n", us / n, n / s }'
}
row3() { printf '%-66s %11s %11s %11s\n' "$@"; }

# tls: handshakes, each with one request of 1 KB; servers on the first core, in turns, the client on the second.
tls() {
  local turn what flags name cells rates names=(roost nginx caddy)
  go build -o "$work/handshakes" ./bench/handshakes
  site_servers "$work/tls"
  row3 "one core, a connection for each request, median of ${TURNS:-5}" Roost nginx caddy
  for what in "TLS 1.3, full:" "TLS 1.3, full, X25519 alone:-x25519" "TLS 1.3, resumed:-resume" "TLS 1.3, resumed, X25519 alone:-x25519 -resume" "TLS 1.2, full:-tls12" "TLS 1.2, resumed:-tls12 -resume"; do
    IFS=: read -r what flags <<<"$what"
    rm -f "$work"/turn-*
    for turn in $(seq 0 "${TURNS:-5}"); do # the first is to warm up
      for name in "${names[@]}"; do
        # shellcheck disable=SC2086
        one_round "$name" $flags >>"$work/turn-$name"
      done
    done
    cells=() rates=()
    for name in "${names[@]}"; do
      cells+=("$(tail -n +2 "$work/turn-$name" | cut -d' ' -f1 | median) us") rates+=("$(tail -n +2 "$work/turn-$name" | cut -d' ' -f2 | median)")
    done
    row3 "$what: CPU of the server for one" "${cells[@]}"
    row3 "the same: a second" "${rates[@]}"
  done
  end_servers
}
