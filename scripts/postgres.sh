# shellcheck shell=sh
# shellcheck disable=SC2154 # set by those that source it
# Postgres, for tests: the machine's own, else Debian's unpacked into .drover/tools. Installing its package would start a
# server of the machine's own. Sourced by set-up.sh.

bring_postgres() {
  package=$(postgres_package) || { apt_get update && package=$(postgres_package); } ||
    fail 'there is no package postgresql-NN: install Postgres by hand'
  say "unpacking Debian's $package into $tools"
  # What it is linked against is plain libraries; its compiler of queries is left out.
  libraries=$(apt-cache depends --important "$package" | sed -n 's/^ *Depends: \(lib[^<]*\|tzdata\)$/\1/p' | grep -v llvm)
  # shellcheck disable=SC2086 # a list of words
  if install_packages $libraries && fetch_package "$package" &&
    program=$(program_of initdb) && "$program" --version >/dev/null 2>&1; then
    rm -rf "$tools/postgres"
    (cd "$unpacked" && sha256sum ./*.deb) >"$tools/versions/postgres"
    rm -f "$unpacked"/*.deb
    mv "$unpacked" "$tools/postgres"
  else
    fail "Debian's $package could not be brought: see $log"
  fi
}

# The newest one that there is.
postgres_package() {
  apt-cache pkgnames postgresql- | grep -E '^postgresql-[0-9]+$' | sort -t- -k2 -n | tail -n 1 | grep .
}
