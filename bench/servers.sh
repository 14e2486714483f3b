# Servers of the same files, one beside the other.

# server NAME COMMAND...: starts a server of files on the first core, and notes it.
server() {
  local name=$1
  shift
  taskset -c 0 "$@" >"$work/$name.log" 2>&1 &
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

# site_servers DIR: starts those of names, each on the first core: servers of DIR/files with the same certificate, of HTTP on port_of and of
# HTTPS on the port behind that.
site_servers() {
  local d=$1 at=$port name
  declare -gA pid_of=() port_of=()
  mkdir -p "$d/files" "$d/nginx" "$d/home"
  (cd "$d/files" && head -c 1024 /dev/urandom >1k.bin && head -c 102400 /dev/urandom >100k.bin && head -c 1048576 /dev/urandom >1m.bin)
  head -c 10240 README.md >"$d/files/10k.txt"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -keyout "$d/key.pem" -out "$d/cert.pem" 2>/dev/null
  for name in "${names[@]}"; do port_of[$name]=$at at=$((at + 2)); done

  cat >"$d/roost.toml" <<-E
	[host]
	http = "127.0.0.1:${port_of[roost]}"
	https = "127.0.0.1:$((port_of[roost] + 1))"
	access_log = false
	express = ${EXPRESS:-true}
	[[site]]
	domains = ["localhost", "127.0.0.1"]
	cert = "cert.pem"
	key = "key.pem"
	root = "files"
	redirect_https = false
	E
  ROOST_HOME=$d/home server roost "$roost" run "$d/roost.toml"

  if [[ " ${names[*]} " == *" fileserver "* ]]; then
    go build -o "$work/fileserver" ./bench/fileserver
    server fileserver "$work/fileserver" "$d/files" "127.0.0.1:${port_of[fileserver]}" "127.0.0.1:$((port_of[fileserver] + 1))" "$d/cert.pem" "$d/key.pem"
  fi

  cat >"$d/nginx.conf" <<-E
	$([[ $(id -u) -ne 0 ]] || echo 'user root;')
	daemon off;
	pid $d/nginx/pid;
	error_log stderr;
	worker_processes 1;
	events {}
	http {
	  types { text/plain txt; application/octet-stream bin; }
	  client_body_temp_path $d/nginx/body; proxy_temp_path $d/nginx/proxy; fastcgi_temp_path $d/nginx/fastcgi;
	  uwsgi_temp_path $d/nginx/uwsgi; scgi_temp_path $d/nginx/scgi;
	  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
	  open_file_cache max=1000 inactive=60s; open_file_cache_valid 60s;
	  gzip on; gzip_types text/plain; gzip_vary on;
	  ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate $d/cert.pem; ssl_certificate_key $d/key.pem;
	  server { listen 127.0.0.1:${port_of[nginx]}; listen 127.0.0.1:$((port_of[nginx] + 1)) ssl; root $d/files; }
	}
	E
  server nginx "$(PATH=$PATH:/usr/sbin command -v nginx)" -p "$d/nginx" -c "$d/nginx.conf"

  cat >"$d/Caddyfile" <<-E
	{
	  admin off
	  auto_https off
	}
	(files) {
	  root * $d/files
	  encode zstd gzip
	  file_server
	}
	http://127.0.0.1:${port_of[caddy]} {
	  import files
	}
	https://localhost:$((port_of[caddy] + 1)), https://127.0.0.1:$((port_of[caddy] + 1)) {
	  tls $d/cert.pem $d/key.pem
	  import files
	}
	E
  XDG_DATA_HOME=$d/home XDG_CONFIG_HOME=$d/home server caddy caddy run --config "$d/Caddyfile" --adapter caddyfile

  for name in "${names[@]}"; do
    (until_answers "http://127.0.0.1:${port_of[$name]}/1k.bin" && until_answers "https://127.0.0.1:$((port_of[$name] + 1))/1k.bin") ||
      { tail -n 5 "$work/$name.log" >&2; exit 1; }
  done
}
