# list: what a listing of two instances costs.
list() {
  need_pm2
  go build -o "$work/cost" ./bench/cost
  PORT=$port "$roost" start bench/app.js -i 2 --name web >/dev/null 2>&1
  PORT=$((port + 1)) pm2 start bench/app.js -i 2 --name web >/dev/null
  cost_of_list 2
  pm2 delete all >/dev/null
  roost_clear
}
