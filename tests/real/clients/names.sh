#!/usr/bin/env bash
# One server by each of its names, by its addresses, and by names that are not its own.
set -uo pipefail
ask() {
  curl -sS --max-time 60 -o body -w '%{http_code}\n' "$@" || echo "exit $?"
}
address=$(getent ahostsv4 nginx | awk '{print $1; exit}')
pod=$(getent ahostsv4 nginx-pods | awk '{print $1; exit}')
for host in nginx "nginx.$NAMESPACE" "nginx.$NAMESPACE.svc" "nginx.$NAMESPACE.svc.cluster.local" "nginx.$NAMESPACE.svc.cluster.local." NGINX nginx:80 \
  nginx-pods "nginx-pods.$NAMESPACE.svc.cluster.local" "$address" "$pod" "$pod:80"; do
  ask "http://$host/small.txt"
done
for host in example.org example.org:8080 "$address" apache nginx.example 'a b' 'NGINX.' '127.0.0.1' '[::1]:80'; do
  ask -H "Host: $host" http://nginx/small.txt
  ask -H "Host: $host" "http://$pod/small.txt"
done
ask --http1.0 -H 'Host:' http://nginx/small.txt
redis-cli -h redis-pods ping
redis-cli -h "$(getent ahostsv4 redis-pods | awk '{print $1; exit}')" ping
