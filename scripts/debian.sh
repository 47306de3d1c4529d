# shellcheck shell=sh
# shellcheck disable=SC2154 # set by those that source it
# Debian's packages: installed for the machine, or unpacked into .drover/tools without touching it. Sourced by set-up.sh.

unpacked=$tools/unpacked

apt_get() {
  command -v apt-get >/dev/null || fail 'this is not a Debian or Ubuntu machine: put the commands named above on PATH by hand'
  logged env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o APT::Sandbox::User=root "$@"
}

# Runs apt-get; when that fails, once more after a repaired dpkg and a fresh list of packages.
apt_get_again() {
  apt_get "$@" && return
  logged dpkg --configure -a || true
  apt_get update && apt_get "$@"
}

install_packages() {
  apt_get_again install --no-install-recommends "$@"
}

# bring_private PACKAGE PROGRAM PROBE: puts one program of a package into .drover/tools. Installing the package instead
# would start its service (docker-registry) or push another package out (busybox). One on PATH serves as well.
bring_private() {
  if found=$(PATH=$system_path command -v "$2") && takes "$2" "$found"; then
    ln -sf "$found" "$tools/bin/$2"
    printf 'on this machine: %s\n' "$found" >"$tools/versions/$2"
    return
  fi
  say "unpacking Debian's $1 into $tools"
  if fetch_package "$1" && program=$(program_of "$2") && "$program" "$3" >/dev/null 2>&1; then
    keep "$program"
  else
    fail "Debian's $1 could not be brought: see $log"
  fi
}

# A dynamic busybox is no root filesystem.
takes() {
  [ "$1" != busybox ] || ldd "$2" 2>&1 | grep -qE 'not a dynamic|statically'
}

# fetch_package PACKAGE [APT OPTION...]: downloads and unpacks into $unpacked, removing what was there.
fetch_package() (
  package=$1
  shift
  rm -rf "$unpacked" && mkdir -p "$unpacked" && cd "$unpacked" || exit
  if [ $# -eq 0 ]; then apt_get_again download "$package"; else apt_get "$@" download "$package"; fi &&
    logged dpkg-deb -x "$package"_*.deb .
)

# Where a program is in the unpacked package: packages differ in bin and sbin, suites in /bin and /usr/bin.
program_of() {
  find "$unpacked" -type f -perm -0100 -path "*bin/$1" | grep .
}

# Keeps a program that has proved to run, writes down which package it came from, and drops the rest of that.
keep() {
  mv -f "$1" "$tools/bin/"
  (cd "$unpacked" && sha256sum ./*.deb) >"$tools/versions/${1##*/}"
  rm -rf "$unpacked"
}
