#!/usr/bin/env bash
# Starts FreeRADIUS with rlm_totp on 127.0.0.1:PORT, holding USERS users bench0000000… whose TOTP key is
# SHA-1("bench-seed-<n>"): the keys that radload computes. It keeps no replay state and logs no request:
# the fastest that FreeRADIUS can be at this job. Its socket's buffer is enlarged: as it comes, it loses some 60 of 256
# requests that arrive at once. Needs Debian's freeradius and python3.
#   peer-freeradius.sh DIR PORT USERS     prints 'ready' once it answers; stop it with: kill "$(cat DIR/pid)"
set -euo pipefail
dir=$(realpath -m "$1") port=$2 users=$3
here=$(cd "$(dirname "$0")" && pwd)
PATH="$PATH:/usr/sbin:/sbin"
rm -rf "$dir" && mkdir -p "$dir/log" "$dir/run"
cp -r /etc/freeradius/3.0 "$dir/raddb"
cd "$dir/raddb"
rm -f sites-enabled/* mods-enabled/eap
ln -sf ../mods-available/totp mods-enabled/totp
cat >sites-enabled/totp <<SITE
server totp {
  listen {
    type = auth
    ipaddr = 127.0.0.1
    port = $port
    recv_buff = 1048576
    limit {
      max_connections = 0
    }
  }
  authorize {
    if (!&User-Password) {
      reject
    }
    if (User-Password !~ /^(.*)([0-9]{6})\$/) {
      reject
    }
    update request {
      User-Password := "%{1}"
      TOTP-Password := "%{2}"
    }
    files
    totp.authenticate
    if (!ok) {
      reject
    }
    update control {
      Auth-Type := Accept
    }
  }
  authenticate {
  }
}
SITE
python3 - "$users" >mods-config/files/authorize <<'PY'
import base64, hashlib, sys
for n in range(int(sys.argv[1])):
    key = hashlib.sha1(b"bench-seed-%d" % n).digest()
    print(f'bench{n:07d} TOTP-Secret := "{base64.b32encode(key).decode()}"\n')
PY
sed -i "s/^\tauth = .*/\tauth = no/; s/reject_delay = .*/reject_delay = 0/; s/max_requests = .*/max_requests = 2000000/
  s/user = freerad/user = $(id -un)/; s/group = freerad/group = $(id -gn)/" radiusd.conf
sed -i "s#^prefix.*#prefix = /usr#; s#^logdir.*#logdir = $dir/log#; s#^run_dir.*#run_dir = $dir/run#
  s#^raddbdir.*#raddbdir = $dir/raddb#; s#^confdir.*#confdir = \${raddbdir}#" radiusd.conf
freeradius -f -d "$dir/raddb" -l "$dir/log/radius.log" >/dev/null 2>&1 &
echo $! >"$dir/pid"
# Reading 300,000 users takes it some 5 s.
for _ in $(seq 120); do
  "${RADLOAD:-$here/radload}" -p "$port" -N 1 -T 0.5 2>/dev/null | grep -q 'accept 1' && { echo ready; exit 0; }
  kill -0 "$(cat "$dir/pid")" 2>/dev/null || break
  sleep 0.5
done
echo "FreeRADIUS did not answer: $(tail -n 3 "$dir/log/radius.log")" >&2
exit 1
