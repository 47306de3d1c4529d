# shellcheck shell=sh
# shellcheck disable=SC2154 # set by those that source it
# nats-server 2.12 or newer: older ones ignore what Drover's log relies on. One on PATH that is new enough serves; else the
# newest suite of the distribution this machine already trusts, from the mirror this machine already uses. Sourced by set-up.sh.

bring_nats_server() {
  adopt_nats_server && return
  mirror=$(distribution_mirror)
  if [ -z "$mirror" ]; then
    apt_get update || fail "apt-get update failed: see $log"
    mirror=$(distribution_mirror)
  fi
  for suite in $(newest_suites); do
    say "unpacking nats-server of ${mirror%% *} $suite into $tools"
    if fetch_from "$suite" nats-server && program=$(program_of nats-server) && new_enough "$program"; then
      keep "$program"
      return
    fi
  done
  fail "nats-server 2.12 or newer is neither on PATH nor in this machine's package mirror: put one on PATH, then run this again"
}

# Takes one that is there already: in .drover/tools, or on PATH.
adopt_nats_server() {
  new_enough "$tools/bin/nats-server" || {
    found=$(PATH=$system_path command -v nats-server) && new_enough "$found" || return 1
    ln -sf "$found" "$tools/bin/nats-server"
  }
  "$tools/bin/nats-server" --version >"$tools/versions/nats-server"
}

new_enough() {
  [ -x "$1" ] && version=$("$1" --version 2>>"$log") && printf '2.12\n%s\n' "${version##*v}" | sort -VC
}

# The address that apt itself uses here, and whose it is. Empty while apt has no lists.
distribution_mirror() {
  for distribution in Debian Ubuntu; do
    apt-get indextargets --format "$distribution \$(REPO_URI)" \
      "Origin: $distribution" "Label: $distribution" 'Component: main' 'Created-By: Packages' 2>>"$log"
  done | sed -n 1p
}

newest_suites() {
  case $mirror in
    Debian*) echo testing unstable ;;
    Ubuntu*) echo devel ;;
  esac
}

# fetch_from SUITE PACKAGE: downloads from one suite through an apt of our own: its lists, cache and sources are in .drover and go away afterwards;
# signatures are checked with the keys that the distribution installed. A mirror may lag behind (stable suites never expire
# either): what is asked of the server is its version.
fetch_from() {
  suite=$1 wanted=$2
  apt_root=$tools/apt
  rm -rf "$apt_root"
  mkdir -p "$apt_root/lists/partial" "$apt_root/cache/archives/partial"
  case $mirror in
    Debian*) keyring=debian-archive-keyring components=main ;;
    *) keyring=ubuntu-archive-keyring components='main universe' ;;
  esac
  for keys in /usr/share/keyrings/$keyring.gpg /usr/share/keyrings/$keyring.pgp; do [ ! -r "$keys" ] || break; done
  printf 'deb [signed-by=%s] %s %s %s\n' "$keys" "${mirror#* }" "$suite" "$components" >"$apt_root/sources.list"
  set -- -o Dir::Etc::SourceList="$apt_root/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Dir::State::Lists="$apt_root/lists" -o Dir::Cache="$apt_root/cache" -o Acquire::Languages=none \
    -o Acquire::Check-Valid-Until=false
  apt_get "$@" update && fetch_package "$wanted" "$@"
  fetched=$?
  rm -rf "$apt_root"
  return $fetched
}
