# shellcheck shell=sh
# shellcheck disable=SC2154 # set by those that source it
# What `./drover` checks each time. Sourced with $root set. Everything here is a shell builtin or one short fork.

tools=$root/.drover/tools
system_path=$PATH:/usr/local/sbin:/usr/sbin:/sbin # plain users' PATH lacks nft, ip and runc
PATH=$tools/bin:$system_path
export PATH

# command:Debian package. A command that is already there is never replaced, whoever installed it.
host_commands='runc:runc conmon:conmon skopeo:skopeo umoci:umoci nft:nftables ip:iproute2 mount:mount
  nsenter:util-linux setpriv:util-linux mkfs.btrfs:btrfs-progs btrfs:btrfs-progs perl:perl-base
  stty:coreutils'

# Succeeds when every need given is met.
ready() {
  for need; do
    case $need in
      program) ready_packages && ready_build ;;
      packages) ready_packages ;;
      host) [ -z "$(missing_packages)" ] ;;
      nats-server) ready_tool nats-server ;;
      demo) ready_tool busybox ;;
      browser) command -v chromium >/dev/null ;;
      trial) ready_tool docker-registry && ready_tool busybox && ready_postgres && [ -z "$(missing_for_trial)" ] ;;
    esac || return 1
  done
}

# The stamp is written last, so an install that was cut short is done again.
ready_packages() {
  cmp -s "$root/package-lock.json" "$root/node_modules/.drover-lock" && [ -x "$tools/bin/node" ]
}

# Content, not time: a clock that jumped or a checkout of older files never passes for built.
ready_build() {
  [ -s "$root/dist/.sources" ] && [ "$(sources)" = "$(cat "$root/dist/.sources")" ]
}

# A hash over all that the build reads.
sources() {
  (
    cd "$root" || exit
    set -- package-lock.json package.json tsconfig.json tsconfig.build.json
    for folder in apps libs test; do [ ! -d $folder ] || set -- "$@" $folder; done
    find "$@" -type f ! -name '*.spec.ts' ! -name '*.spec.tsx' ! -name '*.contract.ts' ! -name '*.fixture.ts' -exec sha256sum {} + | LC_ALL=C sort | sha256sum
  )
}

# The version is written down only after the tool ran, so a tool that was cut short is brought again.
ready_tool() {
  [ -x "$tools/bin/$1" ] && [ -s "$tools/versions/$1" ]
}

# A whole Postgres: the machine's own or ours.
ready_postgres() {
  for initdb in /usr/lib/postgresql/*/bin/initdb "$tools"/postgres/usr/lib/postgresql/*/bin/initdb; do
    [ ! -x "$initdb" ] || return 0
  done
  return 1
}

# What tests run beside what Drover runs.
missing_for_trial() {
  command -v sqlite3 >/dev/null || echo sqlite3
  command -v mkfs.ext4 >/dev/null || echo e2fsprogs
}

missing_packages() {
  # skopeo trusts what the system trusts; a bundle put there by hand stays as it is
  [ -e /etc/ssl/certs/ca-certificates.crt ] || echo ca-certificates
  for pair in $host_commands; do
    command -v "${pair%%:*}" >/dev/null || printf '%s\n' "${pair#*:}"
  done
}
