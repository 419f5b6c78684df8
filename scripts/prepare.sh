# Sourced by the scripts beside it: what they need from npm and from Debian. Everything that is said goes to stderr.
# shellcheck shell=bash

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "error: $*"
  exit 1
}

# Node is the one thing that is not installed here: how depends on the machine.
need_node() {
  command -v node >/dev/null || fail "Node.js is not installed; version 20.19 or later is needed (24 recommended): https://nodejs.org"
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    fail "Node.js $(node -v) is too old; version 20.19 or later is needed (24 recommended)"
  command -v npm >/dev/null || fail "npm is not installed; it comes with Node.js"
}

can_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# need_programs PROGRAM=PACKAGE …   installs the Debian packages of the programs that are missing, where that is possible.
# Afterwards MISSING names the programs that are not there. Services that come with a package are not started.
need_programs() {
  local pair packages=()
  for pair in "$@"; do
    have_program "${pair%%=*}" || packages+=("${pair#*=}")
  done
  if [ ${#packages[@]} -gt 0 ] && can_install; then
    say "installing from Debian: ${packages[*]}"
    install_packages "${packages[@]}" || say "warning: not all of them could be installed"
  fi
  MISSING=()
  for pair in "$@"; do
    have_program "${pair%%=*}" || MISSING+=("${pair%%=*}")
  done
}

# A program in PATH or where Debian keeps daemons; or, with a slash, a file.
have_program() {
  case "$1" in
    */*) compgen -G "$1" >/dev/null ;;
    *) PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null ;;
  esac
}

install_packages() {
  local policy=/usr/sbin/policy-rc.d own_policy='' status=0
  # Debian starts a service as soon as it is installed; slapd and freeradius would take the ports that Sallyport is to have.
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && own_policy=1
  fi
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >&2 || status=1
  [ -z "$own_policy" ] || rm -f "$policy"
  if [ -d /run/systemd/system ]; then
    local service
    for service in slapd freeradius; do
      case " $* " in *" $service "*) systemctl disable --now "$service" >&2 || true ;; esac
    done
  fi
  return "$status"
}

# node_modules as package-lock.json has it. sqlite3 may have to be compiled (a minute or two).
need_npm_packages() {
  if npm_packages_current; then return; fi
  if ! { command -v g++ && command -v make && command -v python3; } >/dev/null && can_install; then
    say "installing from Debian, to compile sqlite3: build-essential python3"
    install_packages build-essential python3 || true
  fi
  # With the headers that came with Node at hand, none have to be downloaded for it.
  local prefix
  prefix="$(node -p 'require("path").resolve(process.execPath, "../..")')"
  if [ -f "$prefix/include/node/node.h" ]; then export npm_config_nodedir="$prefix"; fi
  say "installing npm packages into $ROOT/node_modules (npm ci)"
  (cd "$ROOT" && npm ci) >&2 || fail "npm ci failed; what it said is above"
}

npm_packages_current() {
  [ -f "$ROOT/node_modules/.package-lock.json" ] || return 1
  node - "$ROOT" <<'JS'
const { readFileSync } = require('node:fs');
const packages = (file) => JSON.parse(readFileSync(`${process.argv[2]}/${file}`, 'utf8')).packages;
const [wanted, there] = [packages('package-lock.json'), packages('node_modules/.package-lock.json')];
// Optional packages are for other platforms.
const differs = ([path, { version, optional }]) => path !== '' && !optional && there[path]?.version !== version;
process.exit(Object.entries(wanted).some(differs) ? 1 : 0);
JS
}
