#!/bin/sh
# Brings a Docker Engine for test/compose to a machine that reaches Debian's packages and npm but no image registry, for this
# run alone: `eval "$(sh test/compose/engine.sh up DIR)"`, and `sh test/compose/engine.sh down DIR` when done.
# All of it but Debian's packages is in DIR. The images that the Dockerfile begins with are made from local root filesystems.
set -eu

self=$(readlink -f -- "$0")
root=${self%/*/*/*}
folder=$(mkdir -p "$2" && cd "$2" && pwd)
tools=$folder/tools log=$folder/set-up.log system_path=$PATH
export DOCKER_HOST=unix://$folder/docker.sock DOCKER_CONFIG=$folder/config

say() { printf 'engine: %s\n' "$*" >&2; }
fail() { say "$*" && exit 1; }
logged() { "$@" >>"$log" 2>&1 </dev/null; }

bring_packages() {
  . "$root/scripts/debian.sh"
  missing=
  for pair in dockerd:docker.io docker:docker.io docker-init:tini iptables:iptables debootstrap:debootstrap; do
    command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}"
  done
  [ -z "$missing" ] || say "installing Debian packages:$missing"
  # shellcheck disable=SC2086 # a list of words
  [ -z "$missing" ] || install_packages $missing || fail "apt-get could not install them: see $log"
}

# Debian's stable compose knows no --wait: the newest suite's does.
bring_compose() {
  plugin=$DOCKER_CONFIG/cli-plugins/docker-compose
  [ ! -x "$plugin" ] || return 0
  . "$root/scripts/nats-server.sh"
  mirror=$(distribution_mirror)
  say 'unpacking docker compose'
  fetch_from testing docker-compose || fail "docker compose could not be brought: see $log"
  mkdir -p "${plugin%/*}"
  mv "$(find "$unpacked" -type f -name docker-compose -perm -0100)" "$plugin"
  rm -rf "$unpacked"
}

start_engine() {
  ! docker info >/dev/null 2>&1 || return 0
  say 'starting dockerd'
  dockerd -H "$DOCKER_HOST" --data-root "$folder/data" --exec-root "$folder/exec" -p "$folder/pid" >>"$log" 2>&1 &
  for _ in $(seq 100); do
    ! docker info >/dev/null 2>&1 || return 0
    sleep 0.2
  done
  fail "dockerd does not start: see $log"
}

# This machine's node, npm and trusted certificates on Debian; nats-server as the image of its makers has it.
make_images() {
  docker image inspect node:24-bookworm-slim nats:2 >/dev/null 2>&1 && return
  say 'making the images that the Dockerfile begins with'
  debian=$folder/debian modules=usr/local/lib/node_modules
  [ -e "$debian/.made" ] || {
    rm -rf "$debian"
    logged debootstrap --variant=minbase --include=ca-certificates bookworm "$debian" || fail "debootstrap failed: see $log"
    rm -rf "$debian"/var/cache/apt/archives/*.deb "$debian"/var/lib/apt/lists/*
    touch "$debian/.made"
  }
  cp -L /etc/ssl/certs/ca-certificates.crt "$debian/etc/ssl/certs/"
  tar -C "$debian" -c . | docker import - debian:bookworm-slim >&2
  mkdir -p "$debian/$modules"
  cp "$root/.drover/tools/bin/node" "$debian/usr/local/bin/node"
  cp -R "$(npm root -g)/npm" "$debian/$modules/"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$debian/usr/local/bin/npm"
  tar -C "$debian" -c . |
    docker import --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' - node:24-bookworm-slim >&2
  tar -C "$root/.drover/tools/bin" -ch nats-server | docker import - nats:2 >&2
}

case $1 in
  up)
    mkdir -p "$tools/bin" "$tools/versions"
    bring_packages
    bring_compose
    start_engine
    make_images
    printf 'export DOCKER_HOST=%s DOCKER_CONFIG=%s\n' "$DOCKER_HOST" "$DOCKER_CONFIG"
    ;;
  down)
    [ ! -e "$folder/pid" ] || kill "$(cat "$folder/pid")"
    while [ -e "$folder/pid" ]; do sleep 0.2; done
    rm -rf "$folder"
    ;;
  *) fail 'use: engine.sh up|down DIR' ;;
esac
