#!/usr/bin/env bash
# TLS, and HTTP/2 with and without it, by ports whose names say so and by ports whose names say nothing.
set -uo pipefail
ask() {
  curl -sSk --max-time 60 -o body -w "%{http_version} %{http_code} %{size_download} $*\n" "$@" || echo "exit $?"
  sha256sum <body
}
for port in 443 8443; do
  ask --http1.1 "https://nginx-tls:$port/medium.bin"
  ask --http2 "https://nginx-tls:$port/medium.bin"
  ask --tls-max 1.2 "https://nginx-tls:$port/small.txt"
  ask "http://nginx-tls:$port/small.txt"
done
for port in 82 83; do
  ask --http2-prior-knowledge "http://nginx-tls:$port/medium.bin"
  ask --http2-prior-knowledge "http://nginx-tls:$port/missing"
done
