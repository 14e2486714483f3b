# one_load NAME URL WRK-FLAGS...: two seconds of requests (one in turn 0) from the other core; prints microseconds of CPU for one, and how
# many a second.
one_load() {
  local name=$1 url=$2 before after
  shift 2
  before=$(family_cpu "${pid_of[$name]}")
  taskset -c 1 wrk -t1 -c16 -d"$((turn ? 2 : 1))s" "$@" "$url" >"$work/load"
  after=$(family_cpu "${pid_of[$name]}")
  awk -v us=$((after - before)) '/requests in/ { n = $1 } /^Requests\/sec/ { rate = $2 } /Socket errors|Non-2xx/ { bad = $0 }
    END { if (bad || !n) { print "bench:" bad > "/dev/stderr"; exit 1 } printf "%.1f %d\n", us / n, rate }' "$work/load"
}
row4() { printf '%-52s %11s %13s %11s %11s\n' "$@"; }

# static: servers of files, each on the first core, asked in turns from the second.
static() {
  local d=$work/static turn what url name file how cells rates names=(roost fileserver nginx caddy)
  site_servers "$d"
  row4 "one core, HTTP/1.1, wrk -c16, median of ${TURNS:-5}" Roost FileServer nginx caddy
  for what in "1 KB:1k.bin" "10 KB of text:10k.txt" "10 KB of text, compressed:10k.txt:br, gzip" "100 KB:100k.bin" "1 MB:1m.bin" "1 KB over TLS:1k.bin:tls" "1 MB over TLS:1m.bin:tls"; do
    IFS=: read -r what file how <<<"$what"
    rm -f "$work"/turn-*
    for turn in $(seq 0 "${TURNS:-5}"); do # the first is to warm up
      for name in "${names[@]}"; do
        url=http://127.0.0.1:${port_of[$name]}/$file
        case $how in
        tls) one_load "$name" "https://127.0.0.1:$((port_of[$name] + 1))/$file" ;;
        "") one_load "$name" "$url" ;;
        *) one_load "$name" "$url" -H "Accept-Encoding: $how" ;;
        esac >>"$work/turn-$name"
      done
    done
    cells=() rates=()
    for name in "${names[@]}"; do
      cells+=("$(tail -n +2 "$work/turn-$name" | cut -d' ' -f1 | median) us") rates+=("$(tail -n +2 "$work/turn-$name" | cut -d' ' -f2 | median)")
    done
    row4 "$what: CPU for a request" "${cells[@]}"
    row4 "the same: requests a second" "${rates[@]}"
  done
  cells=()
  for name in "${names[@]}"; do cells+=("$(mb "$(family_rss "${pid_of[$name]}")")"); done
  row4 "resident, after all that" "${cells[@]}"
  go test ./host -run '^TestASmallFileIsAnsweredWithoutAllocationsOfOurOwn$' -count=1 -v >"$work/allocations" 2>&1 || { cat "$work/allocations" >&2; exit 1; }
  read -r -a cells <<<"$(sed -n 's/.*Roost \([0-9]*\), .*FileServer \([0-9]*\)$/\1 \2/p' "$work/allocations")"
  row4 "1 KB: allocations for a request" "${cells[@]}" - -
  end_servers
}
