# requests: what a request costs servers of files and proxies, each on the first core, and how soon it is answered; then the same app of Node, clustered.

# rows_of_requests prints the rows: a name, a path, the length of the answer, load's flags (tls: HTTPS; log: with an access log), and the servers.
rows_of_requests() {
  cat <<-E
	1 KB file;/1k.bin;1024;;roost nginx caddy pm2
	10 KB file;/10k.txt;10240;;roost nginx caddy
	100 KB file;/100k.bin;102400;;roost nginx caddy
	1 MB file;/1m.bin;1048576;;roost nginx caddy pm2
	1 KB file, 1,000 connections;/1k.bin;1024;-c 1000;roost nginx caddy pm2
	1 KB file, new connections;/1k.bin;1024;-close;roost nginx caddy pm2
	1 KB file, access log;/1k.bin;1024;log;roost nginx debian caddy
	1 KB file, TLS;/1k.bin;1024;tls;roost nginx caddy
	1 KB file, TLS, access log;/1k.bin;1024;tls log;roost nginx caddy
	1 MB file, TLS;/1m.bin;1048576;tls;roost nginx caddy
	1 KB file, HTTP/2;/1k.bin;1024;tls -h2;roost nginx caddy
	100 KB file, HTTP/2;/100k.bin;102400;tls -h2;roost nginx caddy
	1 KB file, HTTP/2, access log;/1k.bin;1024;tls -h2 log;roost nginx caddy
	Go app;/go;13;;roost nginx haproxy caddy
	Go app, 1,000 connections;/go;13;-c 1000;roost nginx haproxy caddy
	Go app, new connections;/go;13;-close;roost nginx haproxy caddy
	Go app, access log;/go;13;log;roost nginx debian haproxy caddy
	Go app, TLS;/go;13;tls;roost nginx haproxy caddy
	Go app, HTTP/2;/go;13;tls -h2;roost nginx haproxy caddy
	Go app on a Unix socket;/unix;13;;roost nginx haproxy caddy
	Node app;/node;3;;roost nginx haproxy caddy
	E
}
# rows_of_clusters does so for the second half.
rows_of_clusters() {
  cat <<-E
	2 of a Node app, both cores;/;3;tls;roost pm2nginx roostown pm2own
	2 of a Node app, both cores, 1,000 connections;/;3;tls -c 1000;roost pm2nginx roostown pm2own
	E
}
# labels_of_requests sets what the servers of the rows are called.
labels_of_requests() {
  declare -gA label=([roost]=Roost [nginx]=nginx [debian]="nginx, Debian's defaults" [caddy]=Caddy [haproxy]=HAProxy [pm2]="pm2 serve"
    [pm2nginx]="PM2 behind nginx" [pm2own]="PM2, own port, no TLS" [roostown]="Roost, own port, no TLS")
}
# wanted_of_requests prints what Roost is to reach; see bench/table.
wanted_of_requests() {
  local row
  wanted() { printf '%s\t%s\t%d\t%s\t%s\t%s\t%s\n' "$@"; }
  to() { wanted "$1: CPU, Roost to ${label[$3]}" "$2" 1 "$1" Roost "$1" "${label[$3]}"; }
  to "1 KB file" "<0.80" nginx
  to "10 KB file" "<0.80" nginx
  to "1 MB file" "<1.00" nginx
  to "1 KB file, TLS" "<0.85" nginx
  to "Go app" "<0.75" nginx
  to "Go app" "<1.00" haproxy
  for row in "1 KB file" "1 KB file, TLS" "Go app"; do wanted "$row: CPU of Roost with an access log to without" "<1.15" 1 "$row, access log" Roost "$row" Roost; done
  for row in "1 KB file" "Go app"; do wanted "$row, 1,000 connections: p99, Roost to nginx" "<1.00" 4 "$row, 1,000 connections" Roost "$row, 1,000 connections" nginx; done
  row="2 of a Node app, both cores"
  wanted "$row: requests a second, Roost to PM2 behind nginx" ">1.00" 2 "$row" Roost "$row" "${label[pm2nginx]}"
  wanted "$row: p99, Roost to PM2 behind nginx" "<1.00" 4 "$row" Roost "$row" "${label[pm2nginx]}"
}

# run_rows ROWS: measures those that ROWS and SERVERS ask for;
run_rows() {
  local title path size how names turn name at flags secure suffix
  while IFS=';' read -r title path size how names; do
    names=$(chosen_servers "$names")
    [[ $names ]] && chosen_row "$title" || continue
    read_how "$how"
    count=$((count + 1))
    echo "$count of $total: $title ($names)" >&2
    : >"$work/row"
    for turn in $(seq $((WARM ? 0 : 1)) "$TURNS"); do # turn 0 is to warm up
      for name in $names; do
        at=$name$suffix
        # shellcheck disable=SC2086
        taskset $load_on "$work/load" -for "$(length_of_turn "$turn" "$flags" "$secure")s" $flags -size "$size" ${processes[$at]} "$(url_of "$at" "$secure")$path" >"$work/cell" ||
          { echo "bench: $title: ${label[$name]}, turn $turn: the run ends here, with what was measured before" >&2; print_requests; exit 1; }
        [[ $turn -eq 0 ]] || printf '%s\t%s\t%s\n' "$title" "${label[$name]}" "$(<"$work/cell")" >>"$work/row"
      done
    done
    cat "$work/row" >>"$work/figures"
    for at in "$work"/requests/*.log/access "$work"/*.log.log; do [[ ! -e $at ]] || : >"$at"; done
  done
}
# read_how FLAGS: sets what load gets, whether over TLS, and the suffix of the servers that log.
read_how() {
  flags= secure= suffix=
  local flag
  for flag in $1; do
    case $flag in
    tls) secure=s ;;
    log) suffix=.log ;;
    *) flags+=" $flag" ;;
    esac
  done
}
# length_of_turn TURN FLAGS SECURE: seconds; turn 0 is to warm up, and 1,000 handshakes take their time.
length_of_turn() {
  local length=$(($1 ? SECONDS_EACH : 1))
  if [[ $2 == *1000* && $3 ]]; then length=$((length + 2)); fi
  echo "$length"
}
# chosen_servers NAMES: those of them that SERVERS has; all where it is empty.
chosen_servers() {
  local name chosen=
  for name in $1; do
    if [[ -z $SERVERS || " $SERVERS " == *" $name "* ]]; then chosen+=" $name"; fi
  done
  echo "${chosen# }"
}
# chosen_row TITLE: whether ROWS, a pattern of grep -E, takes it.
chosen_row() { grep -qE -- "$ROWS" <<<"$1"; }
# servers_of ROWS: the names that the rows need, each once; with .log those that write one.
servers_of() {
  local title path size how names name flags secure suffix
  while IFS=';' read -r title path size how names; do
    chosen_row "$title" || continue
    read_how "$how"
    for name in $(chosen_servers "$names"); do echo "$name$suffix"; done
  done <<<"$1" | awk '!seen[$0]++'
}
# url_of NAME SECURE: an app's own port has only HTTP.
url_of() { if [[ $2 && $1 != *own ]]; then echo "https://127.0.0.1:$((port_of[$1] + 1))"; else echo "http://127.0.0.1:${port_of[$1]}"; fi; }

# enough_descriptors raises the limit of open files, for 1,000 connections and as many to an app.
enough_descriptors() {
  local most
  most=$(ulimit -Hn)
  [[ $most == unlimited || $most -ge 8192 ]] || { echo "bench: 1,000 connections need 8192 open files, and $most are allowed; as root: ulimit -Hn 8192, then again" >&2; exit 1; }
  [[ $(ulimit -n) == unlimited || $(ulimit -n) -ge 8192 ]] || ulimit -Sn 8192
}
# tools NAME...: ends with the way to install what is missing.
tools() {
  local missing= name
  for name in "$@"; do PATH=$PATH:/usr/sbin command -v "$name" >/dev/null || missing+=" $name"; done
  [[ -z $missing ]] || { echo "bench: missing:$missing; make deps-bench installs them" >&2; exit 1; }
}

print_requests() {
  [[ -s $work/figures ]] || return 0
  wanted_of_requests >"$work/wanted"
  echo "servers on one core, load on another, median of $TURNS turns of $SECONDS_EACH s; $(date +%F), $(nproc) cores of $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
  echo
  "$work/table" ${MARKDOWN:+-markdown} "$work/figures" "$work/wanted"
}

requests() {
  local d=$work/requests TURNS=${TURNS:-5} SECONDS_EACH=${SECONDS_EACH:-2} WARM=${WARM:-1} SERVERS=${SERVERS:-} ROWS=${ROWS:-.} count=0 total load_on="-c 1" names name all
  local -A processes=()
  labels_of_requests
  tools taskset curl openssl wrk h2load
  enough_descriptors
  go build -o "$work" ./bench/load ./bench/table ./bench/upstream
  : >"$work/figures"
  total=$({ rows_of_requests; rows_of_clusters; } | while IFS=';' read -r name _ _ _ names; do if chosen_row "$name" && [[ $(chosen_servers "$names") ]]; then echo; fi; done | wc -l)
  [[ $total -gt 0 ]] || { echo "bench: no row is of ROWS='$ROWS' and SERVERS='$SERVERS'" >&2; exit 2; }

  all=$(servers_of "$(rows_of_requests)")
  if [[ $all ]]; then
    single_servers
    run_rows < <(rows_of_requests)
    end_servers
    app_at=()
  fi
  all=$(servers_of "$(rows_of_clusters)")
  if [[ $all ]]; then
    load_on="-c 0,1"
    clusters
    run_rows < <(rows_of_clusters)
    end_servers
  fi
  for name in "${pm2_homes[@]}"; do PM2_HOME=$name pm2 kill >/dev/null; done
  pm2_homes=()
  print_requests
}

# single_servers starts those of all, each on the first core, and the apps on the second; and says which processes count.
single_servers() {
  local names=() name
  for name in $all; do
    case ${name%.log} in
    pm2) need_pm2 ;;
    debian) tools nginx; names+=("$name") ;;
    *) [[ ${name%.log} == roost ]] || tools "${name%.log}"; names+=("$name") ;;
    esac
  done
  app_at=([go]=127.0.0.1:$((port + 900)) [unix]=unix:$work/upstream.sock [node]=127.0.0.1:$((port + 901)))
  taskset -c 1 "$work/upstream" tcp "${app_at[go]}" & servers+=($!)
  taskset -c 1 "$work/upstream" unix "${app_at[unix]#unix:}" & servers+=($!)
  PORT=$((port + 901)) taskset -c 1 node bench/app.js & servers+=($!)
  site_servers "$d"
  for name in "${names[@]}"; do
    case $name in
    nginx* | debian*) processes[$name]="-tree ${pid_of[$name]}" ;;
    *) processes[$name]="-pid ${pid_of[$name]}" ;; # of Roost, without the apps
    esac
  done
  if [[ " $all " == *pm2* ]]; then
    pm2_homes+=("$work/pm2serve")
    port_of[pm2]=$((port + 902))
    PM2_HOME=$work/pm2serve taskset -c 0 "$work/node_modules/.bin/pm2" serve "$d/files" "${port_of[pm2]}" --name files >/dev/null
    until_answers "http://127.0.0.1:${port_of[pm2]}/1k.bin"
    processes[pm2]="-tree $(<"$work/pm2serve/pm2.pid")"
  fi
}

# clusters starts those of all: two of the same app of Node each, on both cores. All processes count.
clusters() {
  local at=$((port + 910)) core=0,1 pm2d
  d=$work/clusters
  mkdir -p "$d/home"
  certificate "$d"
  declare -gA pid_of=() port_of=([roost]=$at [pm2nginx]=$((at + 2)) [pm2own]=$((at + 4)) [roostown]=$((at + 5)))
  if [[ $all == *roost* ]]; then
    cat >"$d/roost.toml" <<-E
	[host]
	http = "127.0.0.1:$at"
	https = "127.0.0.1:$((at + 1))"
	access_log = false
	express = ${EXPRESS:-true}
	[[site]]
	domains = ["localhost", "127.0.0.1"]
	cert = "cert.pem"
	key = "key.pem"
	app = "web"
	[[app]]
	name = "web"
	script = "$here/bench/app.js"
	instances = 2
	env = { PORT = "$((at + 5))" }
	E
    ROOST_HOME=$d/home server roost "$roost" run "$d/roost.toml"
    until_answers "https://127.0.0.1:$((at + 1))/"
    processes[roost]="-tree ${pid_of[roost]}" processes[roostown]="-tree ${pid_of[roost]}"
  fi
  if [[ $all == *pm2* ]]; then
    need_pm2
    pm2_homes+=("$work/pm2cluster")
    PORT=$((at + 4)) PM2_HOME=$work/pm2cluster pm2 start bench/app.js -i 2 --name web >/dev/null
    until_answers "http://127.0.0.1:$((at + 4))/"
    pm2d=$(<"$work/pm2cluster/pm2.pid")
    processes[pm2own]="-tree $pm2d"
  fi
  if [[ $all == *pm2nginx* ]]; then
    tools nginx
    nginx_with pm2nginx "$d" auto 8192 "keepalive_requests 1000000000; proxy_http_version 1.1; proxy_set_header Connection '';
	  upstream web { server 127.0.0.1:$((at + 4)); keepalive 1024; keepalive_requests 1000000000; }
	  server { listen 127.0.0.1:$((at + 3)) ssl http2 backlog=4096; location / { proxy_pass http://web; } }"
    until_answers "https://127.0.0.1:$((at + 3))/"
    processes[pm2nginx]="-tree ${pid_of[pm2nginx]} -tree $pm2d"
  fi
}
