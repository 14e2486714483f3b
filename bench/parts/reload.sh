# under_load URL COMMAND...: runs the command under wrk -c32 and prints "requests failed" as wrk counts them.
under_load() {
  local url=$1 load
  shift
  wrk -t1 -c32 -d3s "$url" >"$work/wrk.out" 2>&1 &
  load=$!
  sleep 0.5
  "$@" >/dev/null 2>&1 || echo "bench: $* failed" >&2
  wait "$load"
  awk '/requests in/ { n = $1 } /Non-2xx/ { bad += $NF } /Socket errors/ { gsub(",", ""); bad += $4 + $6 + $8 + $10 } END { print n + 0, bad + 0 }' "$work/wrk.out"
}
roost_scale() { "$roost" scale api 4 && "$roost" scale api 2; }
pm2_scale() { pm2 scale api 4 && pm2 scale api 2; }

# reload: requests that fail during a reload, and while the number of instances changes.
reload() {
  need_pm2
  mkdir -p "$work/site"
  cat >"$work/site/roost.toml" <<-E
	[host]
	http = "127.0.0.1:$port"
	https = "127.0.0.1:$((port + 1))"
	[[site]]
	app = "api"
	redirect_https = false
	[[app]]
	name = "api"
	script = "$here/bench/app.js"
	instances = 2
	port = $((port + 2))
	E
  "$roost" apply "$work/site/roost.toml" >/dev/null 2>&1
  PORT=$((port + 3)) pm2 start bench/app.js -i 2 --name api >/dev/null
  local what times=${TIMES:-20} sides=(http://127.0.0.1:$port/ https://127.0.0.1:$((port + 1))/ http://127.0.0.1:$((port + 2))/ http://127.0.0.1:$((port + 3))/)
  for what in reload scale; do
    rm -f "$work"/side-*
    for _ in $(seq "$times"); do
      for i in 0 1 2 3; do
        until_answers "${sides[i]}"
        case $i-$what in
        3-reload) under_load "${sides[i]}" pm2 reload api ;;
        3-scale) under_load "${sides[i]}" pm2_scale ;;
        *-reload) under_load "${sides[i]}" "$roost" reload api ;;
        *-scale) under_load "${sides[i]}" roost_scale ;;
        esac >>"$work/side-$i"
      done
    done
    total() { awk '{ n += $1; bad += $2 } END { print bad " of " n }' "$work/side-$1"; }
    row "$what x$times under wrk -c32, failed, over http" "$(total 0)"
    row "$what x$times under wrk -c32, failed, over https" "$(total 1)"
    row "$what x$times under wrk -c32, failed, app's own port" "$(total 2)" "$(total 3)"
  done
  pm2 delete all >/dev/null
  roost_clear
}
