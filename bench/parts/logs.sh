# captured PATTERN FIELD: how many of the million lines are there, each once; FIELD has the number.
captured() {
  local file
  for file in $1; do case $file in *.gz) zcat "$file" ;; *) cat "$file" ;; esac; done |
    awk -v f="$2" 'length($0) > 98 && $f ~ /^[0-9]+$/ && !seen[$f + 0]++ { n++ } END { print n + 0 }'
}
# until_written FILE: waits for the last line, or until nothing has come for 10 s.
until_written() {
  local still=0 before=0 now
  while ((still < 500)); do
    tail -c 200 "$1" 2>/dev/null | grep -q '\b999999 info' && return
    now=$(stat -c %s "$1" 2>/dev/null || echo 0)
    if [[ $now == "$before" ]]; then still=$((still + 1)); else still=0 before=$now; fi
    sleep 0.02
  done
}
cpu_since() { awk -v t=$(($(cpu_ticks "$1") - $2)) -v h="$(getconf CLK_TCK)" 'BEGIN { printf "%.2f s", t / h }'; }
until_compressed() { while compgen -G "$ROOST_HOME/logs/lines-out-*.log" >/dev/null; do sleep 0.1; done; }

# logs: what a million lines cost the daemons.
logs() {
  need_pm2
  cat >"$work/lines.sh" <<-'E' # a million lines of 100 bytes
	#!/bin/sh
	exec awk 'BEGIN { for (i = 0; i < 1000000; i++) printf "%06d info: GET /api/1/orders/%05d 200 in %3d ms, user %08x from 10.0.%03d.%03d, trace %08x\n",
	  i, rand() * 99999, rand() * 300, rand() * 2 ^ 31, rand() * 255, rand() * 255, rand() * 2 ^ 31 }'
	E
  cat >"$work/lines.js" <<-'E'
	const some = (n, width, base) => Math.floor(Math.random() * n).toString(base).padStart(width, '0')
	let i = 0
	const more = () => {
	  for (let n = 0; n < 1000; n++, i++) {
	    process.stdout.write(`${String(i).padStart(6, '0')} info: GET /api/1/orders/${some(99999, 5)} 200 in ${some(300, 3)} ms, ` +
	      `user ${some(2 ** 31, 8, 16)} from 10.0.${some(255, 3)}.${some(255, 3)}, trace ${some(2 ** 31, 8, 16)}\n`)
	  }
	  if (i < 1000000) setImmediate(more)
	}
	more()
	E
  chmod +x "$work/lines.sh"
  mkdir -p "$work/lines"
  local kind daemon cpu begun
  PORT=$port "$roost" start bench/app.js --name idle >/dev/null 2>&1 # so that there is a daemon
  pm2 ping >/dev/null
  for kind in sh js; do
    local took=() used=() lost=() most=() packed=
    for side in roost pm2; do
      case $side in roost) daemon=$(daemon_pid) ;; pm2) daemon=$(<"$PM2_HOME/pm2.pid") ;; esac
      echo 5 >"/proc/$daemon/clear_refs"
      cpu=$(cpu_ticks "$daemon") begun=$(date +%s%N)
      case $side in
      roost)
        printf '[[app]]\nname = "lines"\nscript = "%s"\nautorestart = false\nmax_log_files = 30\n' "$work/lines.$kind" >"$work/lines/roost.toml"
        "$roost" apply "$work/lines/roost.toml" >/dev/null 2>&1
        until_written "$ROOST_HOME/logs/lines-out.log"
        took+=("$(awk -v a="$begun" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f s", (b - a) / 1e9 }')")
        used+=("$(cpu_since "$daemon" "$cpu")")
        until_compressed
        packed=$(cpu_since "$daemon" "$cpu")
        lost+=("$((1000000 - $(captured "$ROOST_HOME/logs/lines-out*" 3)))")
        ;;
      pm2)
        pm2 start "$work/lines.$kind" --name lines --no-autorestart >/dev/null
        until_written "$PM2_HOME/logs/lines-out.log"
        took+=("$(awk -v a="$begun" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f s", (b - a) / 1e9 }')")
        used+=("$(cpu_since "$daemon" "$cpu")")
        lost+=("$((1000000 - $(captured "$PM2_HOME/logs/lines-out.log" 1)))")
        ;;
      esac
      most+=("$(mb "$(awk '/^VmHWM/ { print $2 }' "/proc/$daemon/status")")")
    done
    row "100 MB of lines from one app ($kind): CPU of the daemon" "${used[@]}"
    row "the same: rotated and compressed too" "$packed"
    row "the same: until the last line is in the file" "${took[@]}"
    row "the same: most memory of the daemon" "${most[@]}"
    row "the same: lines lost" "${lost[@]}"
    roost_clear
    rm -f "$ROOST_HOME"/logs/lines-*
    pm2 delete lines >/dev/null
    rm -f "$PM2_HOME"/logs/lines-*
  done
  pm2 delete all >/dev/null 2>&1 || true
  roost_clear
}
