#!/usr/bin/env bash
# Tables in and out, large values both ways, an error.
set -euo pipefail
client=(mariadb --no-defaults -h mariadb -u shop -N --max-allowed-packet=16M)
"${client[@]}" -e 'create database shop; create table shop.numbers (n int primary key, text longtext)'
{
  echo 'begin;'
  for number in {1..3000}; do echo "insert into numbers values ($number, repeat('x', $number));"; done
  echo 'commit;'
} | "${client[@]}" shop
"${client[@]}" shop -e 'select count(*), sum(length(text)) from numbers'
"${client[@]}" shop -e 'select * from numbers order by n' | sha256sum
{ printf "insert into numbers values (0, '"; head -c 5000000 /dev/zero | tr '\0' y; printf "');"; } | "${client[@]}" shop
"${client[@]}" shop -e 'select text from numbers where n = 0' | sha256sum
"${client[@]}" shop -e 'select nothing' 2>&1 || echo "exit $?"
"${client[@]}" -C shop -e 'select text from numbers where n = 0' | sha256sum
