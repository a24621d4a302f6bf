#!/usr/bin/env bash
# Values of all sizes, a pipe of commands, a subscription.
set -euo pipefail
cli=(redis-cli -h redis)
"${cli[@]}" set greeting hello
"${cli[@]}" get greeting
head -c 5000000 "$SITE/large.bin" | "${cli[@]}" -x set large
"${cli[@]}" get large | sha256sum
for number in {1..5000}; do echo "SET key$number value$number"; done | "${cli[@]}" --pipe
"${cli[@]}" dbsize
"${cli[@]}" info nothing
"${cli[@]}" --no-raw lrange missing 0 -1
# A subscription is a connection on which the server speaks unasked.
"${cli[@]}" subscribe news >news & subscriber=$!
until [ "$("${cli[@]}" publish news first)" -ge 1 ]; do sleep 0.01; done
"${cli[@]}" publish news last >/dev/null
until grep -q last news; do sleep 0.01; done
kill "$subscriber"
grep -E 'first|last' news | sort -u
# Inline commands: a client that writes words and line ends, as telnet does.
exec 3<>/dev/tcp/redis/6379
printf 'GET greeting\r\n' >&3
read -r -t 20 length <&3
read -r -t 20 value <&3
printf '%s %s\n' "${length%$'\r'}" "${value%$'\r'}"
