#!/bin/sh
# Compiles into dist. The new one takes the old one's place whole, so nothing ever runs half of each; its stamp, a hash
# of the sources, is inside it.
set -eu

self=$(readlink -f -- "$0")
root=${self%/*/*}
. "$root/scripts/ready.sh"
cd "$root"

exec 8>.drover/build.lock
flock 8
stamp=$(sources)
rm -rf dist.new dist.old
"$tools/bin/node" node_modules/typescript-7/bin/tsc -p tsconfig.build.json --outDir dist.new
# The console is a page of its own, bundled for browsers; the API serves it from here.
[ ! -e apps/console/vite.config.ts ] ||
  "$tools/bin/node" node_modules/vite/bin/vite.js build apps/console --outDir "$root/dist.new/console" --emptyOutDir
cp -R libs/read-model/migrations dist.new/libs/read-model/
printf '%s\n' "$stamp" >dist.new/.sources
[ ! -e dist ] || mv dist dist.old
mv dist.new dist
rm -rf dist.old
