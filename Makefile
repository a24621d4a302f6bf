# weft: the commands of a working day. `make up` and `make test` are the two that always work from a fresh clone.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PRESET ?= release
WEFT := build/$(PRESET)/src/cli/weft
BOOKINFO := samples/bookinfo

.PHONY: help deps build up down test test-all soak bench bench-control floods fuzz tsan coverage format lint clean arrows \
  torture real interop images e2e-kubernetes kubernetes-up kubernetes-down

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

deps: ## install the Debian packages that are missing
	@scripts/deps

build: deps ## build everything (PRESET=release|debug|asan|tsan)
	@scripts/build $(PRESET)

up: deps ## build, start the mesh with Bookinfo on this machine, print the page's address
	@scripts/build release weft weft-proxy bookinfo
	@build/release/src/cli/weft up --detach \
	  -f $(BOOKINFO)/platform/kube/bookinfo.yaml \
	  -f $(BOOKINFO)/networking/destination-rule-all.yaml \
	  -f $(BOOKINFO)/networking/bookinfo-gateway.yaml

down: ## stop the mesh on this machine
	@build/release/src/cli/weft down

test: deps ## unit tests and fuzz corpora with sanitizers, end-to-end tests for release, torture on both; ends in "N passed, N failed"
	@scripts/test

test-all: deps ## every test on both builds
	@scripts/test asan release

images: ## make weft's and Bookinfo's images as OCI archives in build/images
	@scripts/deps kubernetes
	@scripts/build release weft bookinfo
	@scripts/images

kubernetes-up: ## bring up a one-node Kubernetes in namespaces of its own, with our images
	@echo "The first time this takes about ten minutes: packages, Kubernetes' own programs from their sources, our images, the cluster. After that, one."
	@scripts/deps kubernetes
	@scripts/kubernetes/build-binaries
	@$(MAKE) --no-print-directory images
	@scripts/kubernetes/up
	@scripts/kubernetes/import-image build/images/weft.tar build/images/bookinfo.tar
	@echo "type: scripts/kubernetes/run kubectl get pods -A"

kubernetes-down: ## take it down; nothing is left
	@scripts/kubernetes/down --purge

e2e-kubernetes: ## run the walk-through and the tests on a real cluster; ends in "N passed, N failed"
	@scripts/deps kubernetes
	@scripts/kubernetes/build-binaries
	@$(MAKE) --no-print-directory images
	@scripts/build release weft_store_test
	@UPDATE_DOCS=$(UPDATE_DOCS) API_AWAY=$(or $(API_AWAY),30) /usr/bin/python3 scripts/e2e_kubernetes.py $(SUITES)

soak: deps ## load a mesh at full speed under changing rules for MINUTES (default 10) and watch everything
	@scripts/build release weft weft-proxy bookinfo
	@SOAK_MINUTES=$(or $(MINUTES),10) scripts/python -m pytest -q -s --no-header -p no:cacheprovider tests/soak

bench: deps ## measure weft beside nginx, HAProxy, nghttpx and Envoy over HTTP/1, HTTP/2, gRPC and TCP, each service of Bookinfo, its page, and the memory of idle connections
	@scripts/build release
	@status=0; for each in run http2 grpc idle stream bookinfo page; do scripts/python bench/$$each.py || status=1; done; exit $$status

floods: deps ## flood weft-proxy with hostile HTTP/2 from clients and an upstream: its memory, and an honest client's p99, within bounds
	@scripts/build release weft-proxy
	@scripts/python bench/floods.py $(OPTIONS)

bench-control: deps ## measure what services, rules and simulated proxies cost the control plane; OPTIONS="--scales 10,1000" and others
	@scripts/build release weft weft-proxy bookinfo ads_load
	@scripts/python bench/control.py $(OPTIONS)

fuzz: deps ## run each fuzz target for SECONDS_EACH (default 60) from its corpus on; TARGETS names some
	@scripts/fuzz $(or $(SECONDS_EACH),60) $(TARGETS)

torture: deps ## random adversaries for MINUTES (default 1) each, on both builds; SEED repeats one, TORTURE names some
	@MINUTES=$(or $(MINUTES),1) SEED=$(SEED) TORTURE="$(TORTURE)" scripts/torture

real: ## send real servers and clients through sidecars and compare with the same without; ends in "N passed, N failed"
	@scripts/deps real
	@scripts/real

interop: ## h2spec, and gRPC's own interoperability client and server (grpc-go) with two sidecars between them; ends in "N passed, N failed"
	@scripts/deps interop
	@scripts/interop

tsan: deps ## unit tests, and end-to-end tests and torture with 4 workers a proxy, under ThreadSanitizer
	@scripts/test tsan

coverage: deps ## which lines of parsers, pools, forwarding, sessions and store tests run; 90 % each; ends in "N passed, N failed"
	@scripts/coverage

format: ## format every source file in place
	@git ls-files '*.cc' '*.h' | xargs clang-format-19 -i

lint: deps ## formatting, arrows between rooms, sizes, clang-tidy
	@scripts/check_arrows
	@scripts/check_sizes
	@scripts/check_fields
	@git ls-files '*.cc' '*.h' | xargs clang-format-19 --dry-run -Werror
	@scripts/tidy

arrows: ## check the arrows between rooms
	@scripts/check_arrows

clean: ## remove what was built
	rm -rf build
