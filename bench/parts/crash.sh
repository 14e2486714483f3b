# one_crash PORT PID-COMMAND...: kills one instance in the middle of 3 s of requests and prints gap's line.
one_crash() {
  local url=http://127.0.0.1:$1/ asking
  shift
  until_answers "$url"
  "$work/gap" -for 3s "$url" >"$work/gap.out" &
  asking=$!
  sleep 1
  kill -KILL "$("$@")"
  wait "$asking"
  cat "$work/gap.out"
}
roost_pid() { "$roost" list --json | grep -oE '"pid": *[1-9][0-9]*' | head -n 1 | grep -oE '[0-9]+'; }
pm2_pid() { pm2 pid web | head -n 1; }

# crash: requests while an instance dies.
crash() {
  need_pm2
  go build -o "$work/gap" ./bench/gap
  local n
  for n in 1 2; do
    : >"$work/r" && : >"$work/p"
    PORT=$port "$roost" start bench/app.js -i "$n" --name web >/dev/null 2>&1
    PORT=$((port + 1)) pm2 start bench/app.js -i "$n" --name web >/dev/null
    for _ in {1..5}; do
      one_crash "$port" roost_pid >>"$work/r"
      one_crash "$((port + 1))" pm2_pid >>"$work/p"
    done
    row "SIGKILL 1 of $n, own port: longest time without an answer" "$(awk '{ print $6 }' "$work/r" | median) ms" "$(awk '{ print $6 }' "$work/p" | median) ms"
    row "the same: requests failed, in 5 kills" "$(awk '{ f += $4 } END { print f }' "$work/r")" "$(awk '{ f += $4 } END { print f }' "$work/p")"
    pm2 delete all >/dev/null
    roost_clear
  done
}
