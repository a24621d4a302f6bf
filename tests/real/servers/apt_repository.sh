#!/usr/bin/env bash
# A Debian repository of a few packages in the folder $1.
set -euo pipefail
mkdir -p "$1/pool" "$1/dists/real/main/binary-all" "$1/dists/real/main/binary-amd64"
for number in 1 2 3 4 5 6; do
  tree=$(mktemp -d)
  mkdir -p "$tree/DEBIAN" "$tree/usr/share/real-$number"
  head -c $((number * number * 100000)) "$SITE/large.bin" >"$tree/usr/share/real-$number/data"
  printf '%s\n' "Package: real-$number" 'Version: 1.0' 'Architecture: all' 'Maintainer: nobody <nobody@example.com>' \
    "Description: package $number" >"$tree/DEBIAN/control"
  SOURCE_DATE_EPOCH=1700000000 dpkg-deb -Znone --root-owner-group -b "$tree" "$1/pool" >&2
done
cd "$1"
for architecture in all amd64; do
  folder=dists/real/main/binary-$architecture
  apt-ftparchive packages pool >"$folder/Packages"
  gzip -k "$folder/Packages"
done
apt-ftparchive -o APT::FTPArchive::Release::Suite=real -o APT::FTPArchive::Release::Architectures='amd64 all' \
  -o APT::FTPArchive::Release::Components=main release dists/real >Release
mv Release dists/real/Release
