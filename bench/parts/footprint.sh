# footprint: what the daemons use, with four instances, folders and TLS.
footprint() {
  go build -o "$here/examples/box/clock/clock" ./examples/box/clock
  cp -r examples/box "$work/box"
  sed -i "s/:8080/127.0.0.1:$port/; s/:8443/127.0.0.1:$((port + 1))/" "$work/box/roost.toml"
  sed -i "s/3000/$((port + 2))/" "$work/box/api/server.js"
  "$roost" apply "$work/box/roost.toml" >/dev/null 2>&1
  until_answers "https://localhost:$((port + 1))/"
  need_pm2
  PORT=$((port + 3)) pm2 start bench/app.js -i 2 --name web >/dev/null
  PORT=$((port + 4)) pm2 start bench/app.js -i 2 --name web2 >/dev/null
  sleep 5 # past the start
  footing "daemon, 4 instances (Roost: and 2 folders, TLS)"
  pm2 delete all >/dev/null
  roost_clear
}
