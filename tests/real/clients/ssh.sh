#!/usr/bin/env bash
# Commands, files both ways by cat, scp, sftp and rsync, a tunnel.   ssh.sh [load]
set -euo pipefail
options=(-i "$SITE/key" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes -o ConnectTimeout=20 -F /dev/null)
if [ "${1:-}" = load ]; then
  exec ssh "${options[@]}" root@ssh "cat $SITE/large.bin" >/dev/null
fi
ssh "${options[@]}" root@ssh 'echo out; echo err >&2; exit 7' 2>&1 || echo "exit $?"
ssh "${options[@]}" root@ssh sha256sum <"$SITE/large.bin"
there=$(ssh "${options[@]}" root@ssh mktemp -d)
scp -q "${options[@]}" "$SITE/medium.bin" "root@ssh:$there/up"
scp -q "${options[@]}" "root@ssh:$there/up" down
sha256sum down
printf 'put %s %s\nget %s\nls -1 %s\n' "$SITE/page.html" "$there/page.html" "$there/page.html" "$there" |
  sftp -q "${options[@]}" -b - root@ssh | sed "s#$there#THERE#g" | grep -v '^sftp>'
sha256sum page.html
rsync -a -e "ssh ${options[*]}" --exclude key --exclude large.bin "$SITE/" "root@ssh:$there/site/"
ssh "${options[@]}" root@ssh "cd $there/site && sha256sum *; rm -r $there"
ssh "${options[@]}" stranger@ssh true 2>&1 || echo "exit $?"
