# one_burst PORT PIDS: five seconds of requests, each over a connection of its own; prints how many a second were
# answered, how many failed, and the microseconds of CPU that one cost the processes.
one_burst() {
  local before=0 after=0 pid
  for pid in $2; do before=$((before + $(cpu_us "$pid"))); done
  wrk -t1 -c32 -d5s -H 'Connection: close' "http://127.0.0.1:$1/" >"$work/burst"
  for pid in $2; do after=$((after + $(cpu_us "$pid"))); done
  awk -v us=$((after - before)) '/requests in/ { n = $1 } /^Requests\/sec/ { rate = $2 } /Socket errors/ { gsub(/,/, ""); bad += $4 + $6 + $8 + $10 }
    /Non-2xx/ { bad += $NF } END { printf "%d %d %.1f\n", rate, bad, us / n }' "$work/burst"
}

# connections: new connections to the port that two instances share.
connections() {
  need_pm2
  local n
  PORT=$port "$roost" start bench/app.js -i 2 --name web >/dev/null 2>&1
  PORT=$((port + 1)) pm2 start bench/app.js -i 2 --name web >/dev/null
  until_answers "http://127.0.0.1:$port/"
  until_answers "http://127.0.0.1:$((port + 1))/"
  : >"$work/r" && : >"$work/p"
  for n in {1..6}; do # the first is to warm up
    one_burst "$port" "$(daemon_pid) $("$roost" pid web | paste -sd' ')" >>"$work/r"
    one_burst "$((port + 1))" "$(<"$PM2_HOME/pm2.pid") $(pm2 pid web | paste -sd' ')" >>"$work/p"
    [[ $n -gt 1 ]] || { : >"$work/r" && : >"$work/p"; }
  done
  row "new connections to a port of 2 instances, a second, median" "$(cut -d' ' -f1 "$work/r" | median)" "$(cut -d' ' -f1 "$work/p" | median)"
  row "the same: CPU of daemon and instances for one" "$(cut -d' ' -f3 "$work/r" | median) us" "$(cut -d' ' -f3 "$work/p" | median) us"
  row "the same: requests failed" "$(awk '{ f += $2 } END { print f }' "$work/r")" "$(awk '{ f += $2 } END { print f }' "$work/p")"
  pm2 delete all >/dev/null
  roost_clear
}
