# profile: where the CPU of Roost goes in the rows of requests that ROWS names: HTTP/2, if it names none.
profile() {
  local d=$work/requests SERVERS=roost ROWS=${ROWS:-^1 KB file, HTTP/2\$} SECONDS_EACH=${SECONDS_EACH:-5} WARM=1 count=0 total all title path size how names load flags secure suffix
  local -A processes=()
  tools taskset curl openssl wrk h2load perf
  enough_descriptors
  go build -o "$work" ./bench/load ./bench/upstream ./bench/shares
  all=$(servers_of "$(rows_of_requests)")
  [[ $all ]] || { echo "bench: no row is of ROWS='$ROWS'" >&2; exit 2; }
  single_servers
  while IFS=';' read -r title path size how names; do
    chosen_row "$title" || continue
    echo "$title" >&2
    read_how "$how"
    # shellcheck disable=SC2086
    taskset -c 1 "$work/load" -for "${SECONDS_EACH}s" $flags -size "$size" ${processes[roost$suffix]} "$(url_of "roost$suffix" "$secure")$path" >"$work/cell" &
    load=$!
    perf record -q -F 999 -g -o "$work/perf" -p "${pid_of[roost$suffix]}" -- sleep "$SECONDS_EACH" 2>"$work/perf.log" || { cat "$work/perf.log" >&2; exit 1; }
    wait "$load"
    printf '%s: %s us of CPU for a request\n' "$title" "$(cut -f1 "$work/cell")"
    perf script -i "$work/perf" -F ip,sym,dso 2>/dev/null | "$work/shares"
  done < <(rows_of_requests)
  end_servers
}
