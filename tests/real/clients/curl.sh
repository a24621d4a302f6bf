#!/usr/bin/env bash
# curl in its usual ways.   curl.sh URL-OF-FILES URL-OF-AN-APPLICATION URL-OF-ONE-THAT-STREAMS
set -uo pipefail
files=$1 app=$2 streams=$3
ask() {
  echo "== $*"
  curl -sS --max-time 60 -o body -w '%{http_code} %{size_download} %{num_connects} %{content_type}\n' "$@"
  echo "exit $?"
  [ "$1" = -I ] || sha256sum <body
}
ask "$files/small.txt"
ask -I "$files/large.bin"
ask --compressed "$files/page.html"
ask -r 0-99,50000-50099 -H 'Accept:' "$files/missing"
ask -C 60000000 "$files/large.bin"
ask -z '2024-01-01' "$files/small.txt"
ask -T "$SITE/large.bin" "$files/put/up"
ask "$files/put/up"
ask -T - "$files/put/piped" <"$SITE/page.html"
ask -X DELETE "$files/put/up"
ask "$files/small.txt" "$files/page.html"
ask --data-binary "@$SITE/large.bin" "$app/sum"
ask -H 'Expect: 100-continue' --data-binary "@$SITE/page.html" "$app/sum"
ask -F file=@"$SITE/empty.txt" -F field=value "$app/bytes?n=3"
ask --http1.0 "$app/bytes?n=1000"
ask --http2 "$app/bytes?n=1000"
ask -L --max-redirs 3 "$files/put"
ask -H 'Transfer-Encoding: chunked' -d hello "$app/sum"
ask -N "$app/stream?n=100000"
ask --raw "$app/stream?n=1000"
# Both ways at once.
ask -T "$SITE/large.bin" "$streams/mirror"
# Responses that come before the body has been read.
ask -T "$SITE/large.bin" "$files/limited/up"
ask -H 'Expect:' -T "$SITE/large.bin" "$files/limited/up"
ask --data-binary "@$SITE/large.bin" "$files/small.txt"
ask -H 'Expect:' --data-binary "@$SITE/large.bin" "$app/refuse"
ask -H 'Expect: 100-continue' --data-binary "@$SITE/large.bin" "$app/refuse"
ask -X PUT -d '' "$app/sum"
ask --limit-rate 20M "$files/large.bin"
ask --max-filesize 1000 "$files/large.bin"
