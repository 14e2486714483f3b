# one_start RUNNING COMMAND...: prints the milliseconds until the command has ended and RUNNING, a command that prints how many
# run, says 50.
one_start() {
  local running=$1 begun
  shift
  begun=$(date +%s%N)
  "$@" >/dev/null 2>&1
  until [[ $($running) -ge 50 ]]; do sleep 0.01; done
  echo "$((($(date +%s%N) - begun) / 1000000))"
}

# starting: how long fifty instances take to start.
starting() {
  need_pm2
  mkdir -p "$work/fifty" "$work/sleeps"
  local script=$work/fifty/small.js seconds=$((100000 + RANDOM)) n
  echo "require('fs').appendFileSync(__dirname + '/ran', '.'); setInterval(() => {}, 1e6)" >"$script"
  scripts() { stat -c %s "$work/fifty/ran" 2>/dev/null || echo 0; }
  sleeps() { pgrep -fcx "[^ ]*sleep $seconds" || true; }
  for n in {1..50}; do printf '[[app]]\nname = "sleep%d"\ncommand = "sleep %d"\n' "$n" "$seconds"; done >"$work/sleeps/sleeps.toml"
  { for n in {1..50}; do printf '{ "name": "sleep%d", "script": "/bin/sleep", "args": "%d", "interpreter": "none" }\n' "$n" "$seconds"; done; } | paste -sd, |
    sed 's/.*/{ "apps": [&] }/' >"$work/sleeps/sleeps.json"
  "$roost" ping >/dev/null 2>&1 || "$roost" start "$script" --name small >/dev/null 2>&1 # both daemons run
  pm2 ping >/dev/null
  : >"$work/starts"
  for _ in {1..5}; do
    roost_clear
    printf '[[app]]\nname = "small"\nscript = "small.js"\ninstances = 50\n' >"$work/fifty/roost.toml"
    rm -f "$work/fifty/ran"
    echo "node-roost $(one_start scripts "$roost" apply "$work/fifty/roost.toml")" >>"$work/starts"
    roost_clear
    cp "$work/sleeps/sleeps.toml" "$work/sleeps/roost.toml"
    echo "sleep-roost $(one_start sleeps "$roost" apply "$work/sleeps/roost.toml")" >>"$work/starts"
    roost_clear
    rm -f "$work/fifty/ran"
    echo "node-cluster $(one_start scripts pm2 start "$script" -i 50)" >>"$work/starts"
    pm2 delete all >/dev/null
    rm -f "$work/fifty/ran"
    echo "node-fork $(one_start scripts pm2 start "$script" -i 50 -x)" >>"$work/starts"
    pm2 delete all >/dev/null
    echo "sleep-pm2 $(one_start sleeps pm2 start "$work/sleeps/sleeps.json")" >>"$work/starts"
    pm2 delete all >/dev/null
  done
  took() { echo "$(awk -v what="$1" '$1 == what { print $2 }' "$work/starts" | median) ms"; }
  row "start 50 instances of a Node script, all run; PM2: cluster" "$(took node-roost)" "$(took node-cluster)"
  row "the same; PM2: fork mode" "$(took node-roost)" "$(took node-fork)"
  row "start 50 apps of sleep, all run" "$(took sleep-roost)" "$(took sleep-pm2)"
}
