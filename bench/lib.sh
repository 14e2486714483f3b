# What the parts share: figures of processes, the daemons, rows of the table.

pm2() { "$work/node_modules/.bin/pm2" "$@"; }
need_pm2() { [[ -x $work/node_modules/.bin/pm2 ]] || (cd "$work" && npm install --silent --no-audit --no-fund pm2@7 >"$work/npm.log" 2>&1) || { cat "$work/npm.log" >&2; exit 1; }; }
row() { printf '%-58s %14s %14s\n' "$1" "$2" "${3:--}"; }
cpu_ticks() { local stat; stat=$(<"/proc/$1/stat"); set -- ${stat##*) }; echo $((${12} + ${13})); }
cpu_us() { cat "/proc/$1"/task/*/schedstat | awk '{ ns += $1 } END { printf "%d", ns / 1000 }'; }
rss_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
mb() { awk -v k="$1" 'BEGIN { printf "%.1f MB", k / 1024 }'; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
# roost_clear forgets every site and app: those of files by applying the files empty.
roost_clear() {
  local file
  for file in "$work"/*/roost.toml; do [[ -e $file ]] && : >"$file" && "$roost" apply "$file" >/dev/null 2>&1; done
  "$roost" delete all >/dev/null 2>&1 || true
}
daemon_pid() { "$roost" ping --json | grep -oE '"pid": *[0-9]+' | grep -oE '[0-9]+'; }
# until_answers URL: waits until it is answered, for 30 seconds.
until_answers() {
  local end=$((SECONDS + 30))
  until curl -fskm 5 -o /dev/null "$1" 2>/dev/null; do
    [[ $SECONDS -lt $end ]] || { echo "bench: $1 does not answer" >&2; exit 1; }
    sleep 0.1
  done
}

# footing WHAT: what both daemons use at rest.
footing() {
  local r p rt pt seconds=${REST:-60}
  r=$(daemon_pid) p=$(<"$PM2_HOME/pm2.pid")
  rt=$(cpu_us "$r") pt=$(cpu_us "$p")
  sleep "$seconds"
  row "$1: resident" "$(mb "$(rss_kb "$r")")" "$(mb "$(rss_kb "$p")")"
  row "the same: CPU idle, per cent of a core over $seconds s" \
    "$(awk -v us=$(($(cpu_us "$r") - rt)) -v s=$seconds 'BEGIN { printf "%.3f %%", us / 10000 / s }')" \
    "$(awk -v us=$(($(cpu_us "$p") - pt)) -v s=$seconds 'BEGIN { printf "%.3f %%", us / 10000 / s }')"
}

# cost_of_list N: what it costs to list N instances.
cost_of_list() {
  local r p
  r=$("$work/cost" 21 "$roost" list) p=$("$work/cost" 11 "$work/node_modules/.bin/pm2" list)
  read -r -a r <<<"$r"
  read -r -a p <<<"$p"
  row "list of $1 instances: wall time, median" "${r[0]} ms" "${p[0]} ms"
  row "the same: most memory resident" "${r[2]} MB" "${p[2]} MB"
  row "the same: of it its own, not shared with others" "${r[4]} MB" "${p[4]} MB"
}
