/** The sallyport.yaml that `init` writes: what most installations change, the rest by its name. */
export const INITIAL_CONFIGURATION = `# Sallyport's configuration. Relative paths count from the folder of this file. Every key with its default and what it means:
# config/sallyport.example.yaml. Every key has a variable that wins over it: radius.listen is SALLYPORT_RADIUS_LISTEN.

# Where the records live. For several machines: { client: pg, connection: "postgres://user:password@host/database" }
database: { client: sqlite3, connection: { filename: ./sallyport.db } }

# Seals token seeds and shared secrets. Keep a copy apart from the backups: without it they cannot be used.
masterKeyFile: ./master.key

radius:
  listen: ["0.0.0.0:1812"]
  accounting: ["0.0.0.0:1813"]

ldap:
  listen: ["0.0.0.0:389"]
  # LDAP inside TLS from the first octet: ["0.0.0.0:636"]
  ldaps: []
  # StartTLS and ldaps. The certificate is signed by tls/ca.crt, which clients have to trust.
  tls: { cert: ./tls/server.crt, key: ./tls/server.key }
  # true: no password outside TLS.
  requireTls: false
  # Users bind as uid=<login or alias>,ou=users,<baseDn>.
  baseDn: dc=example,dc=org

http:
  # The API: on this machine alone. Further only with tls, or behind a proxy that has it.
  listen: 127.0.0.1:8080

log:
  level: info
`;
