#!/usr/bin/env bash
# Starts OpenLDAP's slapd with its otp overlay (slapo-otp) on ldap://127.0.0.1:PORT, holding USERS users
# uid=bench0000000,ou=users,dc=example,dc=org … with password "pw" and the TOTP keys that ldapload computes.
# Every accepted bind is replay-safe and on disk before it is answered. Needs Debian's slapd and python3.
#   peer-slapd.sh DIR PORT USERS     prints 'ready'; stop it with: kill "$(cat DIR/pid)"
set -euo pipefail
dir=$(realpath -m "$1") port=$2 users=$3
PATH="$PATH:/usr/sbin:/sbin"
rm -rf "$dir" && mkdir -p "$dir/db"
cat >"$dir/slapd.conf" <<CONF
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload otp
pidfile $dir/pid
database mdb
suffix "dc=example,dc=org"
rootdn "cn=admin,dc=example,dc=org"
rootpw secret
directory $dir/db
maxsize 8589934592
index objectClass eq
overlay otp
CONF
python3 - "$users" >"$dir/users.ldif" <<'PY'
import base64, hashlib, sys
top = "dc=example,dc=org"
print(f"dn: {top}\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: example\n")
for ou in ("users", "tokens"):
    print(f"dn: ou={ou},{top}\nobjectClass: organizationalUnit\nou: {ou}\n")
print(f"dn: ou=params,{top}\nobjectClass: organizationalUnit\nobjectClass: oathTOTPParams\nou: params\n"
      "oathTOTPTimeStepPeriod: 30\noathOTPLength: 6\noathHMACAlgorithm: 1.2.840.113549.2.7\noathTOTPTimeStepWindow: 1\n")
for n in range(int(sys.argv[1])):
    key = base64.b64encode(hashlib.sha1(b"bench-seed-%d" % n).digest()).decode()
    print(f"dn: cn=t{n:07d},ou=tokens,{top}\nobjectClass: device\nobjectClass: oathTOTPToken\ncn: t{n:07d}\n"
          f"oathTOTPParams: ou=params,{top}\noathSecret:: {key}\n")
    print(f"dn: uid=bench{n:07d},ou=users,{top}\nobjectClass: inetOrgPerson\nobjectClass: oathTOTPUser\n"
          f"uid: bench{n:07d}\ncn: bench\nsn: bench\noathTOTPToken: cn=t{n:07d},ou=tokens,{top}\nuserPassword: pw\n")
PY
slapadd -q -f "$dir/slapd.conf" -l "$dir/users.ldif"
slapd -f "$dir/slapd.conf" -h "ldap://127.0.0.1:$port"
for _ in $(seq 20); do
  [ -s "$dir/pid" ] && { echo ready; exit 0; }
  sleep 0.5
done
echo "slapd did not start" >&2
exit 1
