#!/usr/bin/env bash
# apt-get with folders of its own: update, and six packages by one pipelined connection.
set -euo pipefail
mkdir -p apt/lists/partial apt/cache/archives/partial apt/etc/preferences.d apt/etc/trusted.gpg.d
echo 'deb [trusted=yes] http://apt/ real main' >apt/etc/sources.list
: >apt/status
options=(-qq -o Dir::Etc="$PWD/apt/etc" -o Dir::Etc::sourcelist="$PWD/apt/etc/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State="$PWD/apt"
  -o Dir::State::status="$PWD/apt/status" -o Dir::State::lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt/cache" -o APT::Sandbox::User=root
  -o Acquire::Languages=none -o Dir::Etc::parts=- -o Acquire::http::Proxy=false)
apt-get "${options[@]}" update
mkdir got
cd got
apt-get "${options[@]}" download real-1 real-2 real-3 real-4 real-5 real-6
sha256sum *.deb
cd ..
# Nothing has changed: 304.
apt-get "${options[@]}" update
apt-get "${options[@]}" download real-7 2>&1 || echo "exit $?"
