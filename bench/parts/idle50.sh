# idle50: what fifty small processes cost the daemons.
idle50() {
  need_pm2
  mkdir -p "$work/idle"
  local n
  for n in {1..50}; do printf '[[app]]\nname = "nap%d"\ncommand = "sleep 100000"\n' "$n"; done >"$work/idle/roost.toml"
  for n in {1..50}; do printf '{"name": "nap%d", "script": "/bin/sleep", "interpreter": "none", "args": "100000"}\n' "$n"; done |
    paste -sd, | sed 's/^/{"apps": [/; s/$/]}/' >"$work/idle/ecosystem.json"
  go build -o "$work/cost" ./bench/cost
  "$roost" start "$work/idle/roost.toml" >/dev/null 2>&1
  pm2 start "$work/idle/ecosystem.json" >/dev/null
  sleep 5 # past the start
  footing "daemon, 50 small processes"
  cost_of_list 50
  pm2 delete all >/dev/null
  roost_clear
}
