#!/usr/bin/env bash
# As many messages as asked for to a subscriber, and one that is kept for later.
set -euo pipefail
count=${1:-200}
stdbuf -oL mosquitto_sub -h mosquitto -t real/many -q 1 -C "$count" -W 60 -d >got & subscriber=$!
until grep -q 'Subscribed' got; do sleep 0.01; done
seq 1 "$count" | mosquitto_pub -h mosquitto -t real/many -q 1 -l
wait "$subscriber"
grep -E '^[0-9]+$' got | sha256sum
mosquitto_pub -h mosquitto -t real/kept -r -f "$SITE/page.html"
mosquitto_sub -h mosquitto -t real/kept -C 1 -W 20 | sha256sum
