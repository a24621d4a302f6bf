#!/usr/bin/env bash
# Clones, pushes more than one POST can hold, clones again. The commits' names are functions of their contents.
set -euo pipefail
export GIT_AUTHOR_DATE='2023-11-14T22:13:20Z' GIT_COMMITTER_DATE='2023-11-14T22:13:20Z'
git config --global user.name Real
git config --global user.email real@example.com
git config --global init.defaultBranch main
git clone -q http://git/git/repository.git one 2>&1
cd one
git checkout -q -b main
openssl enc -aes-128-ctr -K 0123456789abcdef0123456789abcdef -iv 00000000000000000000000000000000 -in <(head -c 6000000 /dev/zero) -out noise
cp "$SITE/page.html" .
git add .
git commit -q -m 'A page, and six megabytes that do not compress'
git push -q origin main
echo 'one line more' >>page.html
git commit -q -a -m 'One line'
git tag v1
git push -q origin main v1
cd ..
git clone -q http://git/git/repository.git two
git -C two rev-parse HEAD v1
git -C two ls-tree -r HEAD
git -C two fsck
git ls-remote http://git/git/repository.git
git clone -q --depth 1 http://git/git/repository.git three
git -C three log --oneline
git clone -q http://git/git/missing.git four 2>&1 || echo "exit $?"
