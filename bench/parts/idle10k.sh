# one_crowd NAME URL ROOT: what a server has resident with as many idle connections, and what each of them has added to that.
one_crowd() {
  local before after n=${IDLE:-10000}
  before=$(family_rss "${pid_of[$1]}")
  coproc crowd { exec taskset -c 1 "$work/idle" -n "$n" -root "$3" "$2"; }
  read -r -t 120 -u "${crowd[0]}" _ || { echo "bench: $1 does not have so many connections" >&2; exit 1; }
  sleep 16 # until all is given back that it took to open them
  after=$(family_rss "${pid_of[$1]}")
  kill "$crowd_PID" && wait "$crowd_PID" 2>/dev/null || true
  awk -v b="$before" -v a="$after" -v n="$n" 'BEGIN { printf "%.0f MB; %.1f\n", a / 1024, (a - b) / n }'
}

# idle10k: memory of servers with many connections on which something was asked once.
idle10k() {
  local scheme name cells names=(roost nginx caddy) connections=$((${IDLE:-10000} + 100))
  go build -o "$work/idle" ./bench/idle
  row3 "${IDLE:-10000} idle connections: resident; KB that each has added" Roost nginx caddy
  for scheme in http https; do
    site_servers "$work/idle-$scheme" # others each time, for what was had once is kept
    cells=()
    for name in "${names[@]}"; do
      cells+=("$(one_crowd "$name" "$scheme://127.0.0.1:$((port_of[$name] + (${#scheme} - 4)))/1k.bin" "$work/idle-$scheme/cert.pem")")
    done
    row3 "$([[ $scheme = http ]] && echo plain HTTP/1.1 || echo TLS 1.3 with HTTP/1.1)" "${cells[@]}"
    end_servers
  done
}
