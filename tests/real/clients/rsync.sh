#!/usr/bin/env bash
# The daemon's modules, a tree down, a tree up, and a second time, when only the difference passes.
set -euo pipefail
rsync rsync://rsync/
rsync -a rsync://rsync/site/ down
cd down
sha256sum *
rsync -a ./ rsync://rsync/put/
echo 'a change' >>large.bin
rsync -a --no-W --stats ./ rsync://rsync/put/ | grep -E 'files transferred|Matched data'
rsync -a rsync://rsync/put/large.bin ../again
sha256sum ../again
rsync rsync://rsync/missing/ 2>&1 || echo "exit $?"
