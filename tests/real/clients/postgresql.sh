#!/usr/bin/env bash
# Tables in and out, an error, a notification, and what pgbench needs.
set -euo pipefail
export PGHOST=postgresql PGUSER=postgres PGOPTIONS='-c client_min_messages=warning'
psql=(psql -v ON_ERROR_STOP=1 -qAt)
"${psql[@]}" -c 'create table numbers (n int primary key, text text)'
seq 1 50000 | sed 's/$/\tthe number &/;s/\tthe number \(.*\)/\tthe number/' | "${psql[@]}" -c 'copy numbers from stdin'
"${psql[@]}" -c 'select count(*), sum(n) from numbers'
"${psql[@]}" -c 'copy numbers to stdout' | sha256sum
"${psql[@]}" -c 'select repeat($$0123456789$$, 1000000)' | sha256sum
"${psql[@]}" -c 'select 1/0' 2>&1 || echo "exit $?"
"${psql[@]}" -c 'listen news' -c 'notify news' | sed 's/PID.*//'
pgbench -i -q -s 1 postgres 2>/dev/null
pgbench -n -c 4 -t 50 postgres 2>/dev/null | grep -E 'actually|failed'
"${psql[@]}" -c 'select count(*) from pgbench_history'
