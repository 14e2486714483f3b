# roost: build, run, test. `make help` lists the targets.

GO        ?= go
EXAMPLE   ?= examples/box
PLATFORMS := linux/amd64 linux/arm64 darwin/arm64 windows/amd64

.PHONY: help build run deps deps-system deps-bench test test-system fuzz lint cross bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build ./roost
	CGO_ENABLED=0 $(GO) build -o roost .

run: build ## build, then run examples/box in the foreground on :8080 and :8443
	@$(call need,node:nodejs)
	$(GO) build -o examples/box/clock/clock ./examples/box/clock
	ROOST_HOME=$${ROOST_HOME:-$(CURDIR)/.roost} ./roost run $(EXAMPLE)/roost.toml

test: deps ## run every test that needs no root, with the race detector
	$(GO) test -race -timeout 10m ./...

test-system: deps deps-system ## as root: the tests that boot a system, switch users or make namespaces
	$(GO) test -tags system -run '^TestSystem' -timeout 20m -count=1 ./...

FUZZTIME ?= 20s
FUZZ     ?= Fuzz
FUZZ_IN  ?= ./...

fuzz: ## search for bad input, FUZZTIME for each target that begins with FUZZ in FUZZ_IN
	@found=$$($(GO) test -list '^($(FUZZ))' $(FUZZ_IN)) || { echo "$$found"; exit 1; }; \
	targets=$$(echo "$$found" | awk '/^Fuzz/ { names = names " " $$1 } /^ok/ { n = split(names, all, " "); for (i = 1; i <= n; i++) print $$2 ":" all[i]; names = "" }'); \
	[ -n "$$targets" ] || { echo "no target begins with $(FUZZ) in $(FUZZ_IN)" >&2; exit 1; }; \
	for t in $$targets; do echo "fuzz $$t"; \
	  run() { $(GO) test $${t%:*} -run '^$$' -fuzz "^$${t#*:}\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1s; }; \
	  run || { echo "once more: what was found is kept, and fails again"; run; } || exit 1; done

lint: ## vet, gofmt, staticcheck
	$(GO) vet ./... && $(GO) vet -tags system ./...
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "gofmt would change: $$unformatted" >&2; exit 1; }
	$(GO) tool staticcheck ./...
	$(GO) tool staticcheck -tags system ./...

cross: ## build for every platform
	@for p in $(PLATFORMS); do echo "build $$p"; \
	  GOOS=$${p%/*} GOARCH=$${p#*/} CGO_ENABLED=0 $(GO) build -o /dev/null . || exit 1; done
	GOOS=windows $(GO) vet ./... && GOOS=darwin $(GO) vet ./...

bench: deps-bench build ## measure beside PM2, nginx, HAProxy and Caddy; see bench/README.md
	bench/run

# need installs Debian packages for the commands that are missing: "command:package ...". Services among them are not started.
define need
	set -e; missing=; for pair in $(1); do command -v $${pair%%:*} >/dev/null || [ -e $${pair%%:*} ] || missing="$$missing $${pair##*:}"; done; \
	[ -n "$$missing" ] || exit 0; \
	[ "$$(id -u)" = 0 ] && as= || as=sudo; \
	if ! command -v apt-get >/dev/null || { [ -n "$$as" ] && ! command -v sudo >/dev/null; }; then \
	  echo "missing; install as root: apt-get install$$missing" >&2; exit 1; fi; \
	never=/usr/sbin/policy-rc.d; [ -e $$never ] || { trap "$$as rm -f $$never" EXIT; printf '#!/bin/sh\nexit 101\n' | $$as tee $$never >/dev/null; $$as chmod +x $$never; }; \
	echo "installing$$missing"; $$as apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive $$as apt-get install -qy --no-install-recommends $$missing >/dev/null
endef

deps: ## install what the tests need
	@$(call need,node:nodejs npm:npm python3:python3 jq:jq brotli:brotli zstd:zstd gcc:gcc /usr/include/stdlib.h:libc6-dev slowhttptest:slowhttptest redis-server:redis-server /usr/sbin/nginx:nginx)
	@internal/testcache/npm examples/npm examples/npm/next apps/testdata/npm service/cli/testdata/npm static/testdata/npm static/rules/testdata/npm
	@internal/testcache/gotool internal/testcache/h2spec

deps-system: ## install what the system tests need
	@$(call need,debootstrap:debootstrap chromium:chromium unshare:util-linux ip:iproute2 pgrep:procps testssl:testssl.sh)

deps-bench: deps ## install what the benchmarks need
	@$(call need,npm:npm wrk:wrk curl:curl openssl:openssl taskset:util-linux pgrep:procps /usr/sbin/nginx:nginx /usr/sbin/haproxy:haproxy caddy:caddy h2load:nghttp2-client perf:linux-perf)

clean: ## remove what the build made
	rm -rf roost dist .roost examples/box/clock/clock examples/go/hello
