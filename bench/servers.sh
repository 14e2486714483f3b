# Servers of the same files, and proxies to the same apps, one beside the other.

# server NAME COMMAND...: starts one, on the first core unless the caller has another, and notes it.
core=0
server() {
  local name=$1
  shift
  taskset -c "$core" "$@" >>"$work/$name.log" 2>&1 &
  servers+=($!) pid_of[$name]=$!
}
# end_servers ends those that server started.
end_servers() {
  [[ ${#servers[@]} -eq 0 ]] || { kill "${servers[@]}" && wait "${servers[@]}"; } >/dev/null 2>&1 || true
  servers=()
}
# family PID: it and its children.
family() { echo "$1" $(cat /proc/"$1"/task/*/children); }
family_cpu() { local pid sum=0; for pid in $(family "$1"); do sum=$((sum + $(cpu_us "$pid"))); done; echo $sum; }
family_rss() { local pid sum=0; for pid in $(family "$1"); do sum=$((sum + $(rss_kb "$pid"))); done; echo $sum; }

# certificate DIR: makes one for localhost, in cert.pem and key.pem, and in both.pem for haproxy.
certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout "$1/key.pem" -out "$1/cert.pem" 2>/dev/null
  cat "$1/cert.pem" "$1/key.pem" >"$1/both.pem"
}

# site_servers DIR: starts those of names, each on the first core: servers of DIR/files with the same certificate, of HTTP on port_of and of
# HTTPS on the port behind that. A name may end in .log: that one writes an access log. They forward /NAME to the apps of app_at, but Roost runs those
# itself: go, which costs little, on a port, unix, the same on a Unix socket, and node.
declare -A app_at=()
site_servers() {
  local d=$1 at=$port name first=1k.bin
  declare -gA pid_of=() port_of=()
  mkdir -p "$d/files" "$d/nginx"
  (cd "$d/files" && head -c 1024 /dev/urandom >1k.bin && head -c 102400 /dev/urandom >100k.bin && head -c 1048576 /dev/urandom >1m.bin)
  head -c 10240 README.md >"$d/files/10k.txt"
  certificate "$d"
  for name in "${names[@]}"; do port_of[$name]=$at at=$((at + 4)); done
  for name in "${names[@]}"; do
    "serve_${name%.log}" "$name" "$d"
    [[ ${name%.log} != haproxy ]] || first=go
    (until_answers "http://127.0.0.1:${port_of[$name]}/$first" && until_answers "https://127.0.0.1:$((port_of[$name] + 1))/$first") ||
      { tail -n 5 "$work/$name.log" >&2; exit 1; }
    first=1k.bin
  done
}
# with_log NAME ON OFF: ON when the server of that name writes an access log.
with_log() { if [[ $1 == *.log ]]; then echo "$2"; else echo "$3"; fi; }

# serve_roost NAME DIR
serve_roost() {
  local name=$1 d=$2 at=${port_of[$1]}
  mkdir -p "$d/$name"
  cat >"$d/$name.toml" <<-E
	[host]
	http = "127.0.0.1:$at"
	https = "127.0.0.1:$((at + 1))"
	access_log = $(with_log "$name" true false)
	express = ${EXPRESS:-true}
	[[site]]
	domains = ["localhost", "127.0.0.1"]
	cert = "cert.pem"
	key = "key.pem"
	root = "files"
	redirect_https = false
	E
  if [[ ${app_at[go]:-} ]]; then
    local own=$((at + 2))
    printf '[[site.route]]\npath = "/%s"\napp = "%s"\n' go go unix unix node node >>"$d/$name.toml"
    cat >>"$d/$name.toml" <<-E
	[[app]]
	name = "go"
	command = "taskset -c 1 $work/upstream tcp 127.0.0.1:$own"
	port = $own
	[[app]]
	name = "unix"
	command = "taskset -c 1 $work/upstream fd 3"
	listen_fds = true
	[[app]]
	name = "node"
	script = "$here/bench/app.js"
	instances = 1
	env = { PORT = "$((at + 3))" }
	E
  fi
  ROOST_HOME=$d/$name server "$name" "$roost" run "$d/$name.toml"
  if [[ ${app_at[go]:-} ]]; then
    until_answers "http://127.0.0.1:$at/node"
    taskset -acp 1 "$(ROOST_HOME=$d/$name "$roost" pid node)" >/dev/null
  fi
}

# serve_fileserver NAME DIR
serve_fileserver() {
  go build -o "$work/fileserver" ./bench/fileserver
  server "$1" "$work/fileserver" "$2/files" "127.0.0.1:${port_of[$1]}" "127.0.0.1:$((port_of[$1] + 1))" "$2/cert.pem" "$2/key.pem"
}

# nginx_with NAME DIR WORKERS CONNECTIONS DIRECTIVE...: nginx with directives for its servers. The fields that it sets are those that Roost sets.
nginx_with() {
  local name=$1 d=$2 workers=$3 connections=$4
  shift 4
  mkdir -p "$d/$name"
  cat >"$d/$name.conf" <<-E
	$([[ $(id -u) -ne 0 ]] || echo 'user root;')
	daemon off;
	pid $d/$name/pid;
	error_log stderr;
	worker_processes $workers;
	events { worker_connections $connections; }
	http {
	  types { text/plain txt; application/octet-stream bin; }
	  client_body_temp_path $d/$name/body; proxy_temp_path $d/$name/proxy; fastcgi_temp_path $d/$name/fastcgi;
	  uwsgi_temp_path $d/$name/uwsgi; scgi_temp_path $d/$name/scgi;
	  access_log $(with_log "$name" "$d/$name/access" off); sendfile on; tcp_nopush on;
	  ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate $d/cert.pem; ssl_certificate_key $d/key.pem;
	  proxy_set_header Host \$http_host; proxy_set_header X-Real-IP \$remote_addr; proxy_set_header X-Forwarded-For \$remote_addr;
	  proxy_set_header X-Forwarded-Proto \$scheme; proxy_set_header X-Forwarded-Host \$http_host;
	  $*
	}
	E
  server "$name" "$(PATH=$PATH:/usr/sbin command -v nginx)" -p "$d/$name" -c "$d/$name.conf"
}
# nginx_upstreams prints what nginx forwards to, over kept connections.
nginx_upstreams() {
  local app
  for app in "${!app_at[@]}"; do
    echo "upstream $app { server ${app_at[$app]}; keepalive 1024; keepalive_requests 1000000000; }"
  done
}
# nginx_locations TO: prints what nginx forwards.
nginx_locations() {
  local app
  for app in "${!app_at[@]}"; do echo "location /$app { proxy_pass http://$app; }"; done
}

# serve_nginx NAME DIR: as its manual has it fast: a worker for the core, files kept open, connections to apps kept.
serve_nginx() {
  nginx_with "$1" "$2" 1 "${connections:-8192}" 'keepalive_requests 1000000000;
	  open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s;
	  gzip on; gzip_types text/plain; gzip_vary on;
	  proxy_http_version 1.1; proxy_set_header Connection "";' "$(nginx_upstreams)
	  server {
	    listen 127.0.0.1:${port_of[$1]} backlog=4096; listen 127.0.0.1:$((port_of[$1] + 1)) ssl http2 backlog=4096; root $2/files;
	    $(nginx_locations)
	  }"
}

# serve_debian NAME DIR: nginx as Debian's nginx.conf, default site and proxy_params have it.
serve_debian() {
  local app locations=
  for app in "${!app_at[@]}"; do [[ $app == unix ]] || locations+="location /$app { proxy_pass http://${app_at[$app]}; } "; done
  nginx_with "$1" "$2" auto 768 "gzip on; server { listen 127.0.0.1:${port_of[$1]}; listen 127.0.0.1:$((port_of[$1] + 1)) ssl; root $2/files;
	  location / { try_files \$uri \$uri/ =404; } $locations }"
}

# serve_caddy NAME DIR
serve_caddy() {
  local name=$1 d=$2 at=${port_of[$1]} app
  mkdir -p "$d/$name"
  {
    cat <<-E
	{
	  admin off
	  auto_https off
	}
	(all) {
	  $(with_log "$name" "log {
	    output file $d/$name/access {
	      roll_disabled
	    }
	  }" "")
	E
    for app in "${!app_at[@]}"; do
      printf 'handle /%s {\n reverse_proxy %s {\n transport http {\n keepalive_idle_conns_per_host 1024\n }\n }\n}\n' "$app" "${app_at[$app]/unix:/unix/}"
    done
    cat <<-E
	  handle {
	    root * $d/files
	    encode zstd gzip
	    file_server
	  }
	}
	http://127.0.0.1:$at {
	  import all
	}
	https://localhost:$((at + 1)), https://127.0.0.1:$((at + 1)) {
	  tls $d/cert.pem $d/key.pem
	  import all
	}
	E
  } >"$d/$name.caddyfile"
  XDG_DATA_HOME=$d/$name XDG_CONFIG_HOME=$d/$name server "$name" caddy run --config "$d/$name.caddyfile" --adapter caddyfile
}

# serve_haproxy NAME DIR: forwards only. What it logs goes to its standard output, a file.
serve_haproxy() {
  local name=$1 d=$2 at=${port_of[$1]} app
  {
    cat <<-E
	global
	  nbthread 1
	  maxconn 3000
	  $(with_log "$name" "log stdout format raw local0 info" "")
	defaults
	  mode http
	  timeout connect 5s
	  timeout client 30s
	  timeout server 30s
	  option forwardfor
	  http-reuse always
	  $(with_log "$name" "log global" "")
	  $(with_log "$name" "option httplog" "")
	frontend all
	  bind 127.0.0.1:$at
	  bind 127.0.0.1:$((at + 1)) ssl crt $d/both.pem alpn h2,http/1.1
	  http-request set-header X-Forwarded-Host %[req.hdr(host)]
	  http-request set-header X-Real-IP %[src]
	  http-request set-header X-Forwarded-Proto http if !{ ssl_fc }
	  http-request set-header X-Forwarded-Proto https if { ssl_fc }
	E
    for app in "${!app_at[@]}"; do printf '  use_backend %s if { path /%s }\n' "$app" "$app"; done
    for app in "${!app_at[@]}"; do printf 'backend %s\n  server one %s\n' "$app" "${app_at[$app]/unix:/unix@}"; done
  } >"$d/$name.cfg"
  server "$name" "$(PATH=$PATH:/usr/sbin command -v haproxy)" -db -f "$d/$name.cfg"
}
