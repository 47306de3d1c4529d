#!/bin/sh
# Postgres for the read model: made at the first start, with the password that the settings hold. Nothing in it is truth.
set -eu

data=/drover/data
bin=$(echo /usr/lib/postgresql/*/bin)

if [ ! -s "$data/PG_VERSION" ]; then
  rm -rf "$data"
  install -d -m 700 -o postgres "$data"
  install -m 600 -o postgres /drover/secrets/postgres.password /tmp/password
  setpriv --reuid postgres --regid postgres --clear-groups "$bin/initdb" -D "$data" -U drover \
    --pwfile /tmp/password --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8
  rm /tmp/password
  echo 'host all all all scram-sha-256' >>"$data/pg_hba.conf"
fi
install -d -o postgres /run/postgresql
exec setpriv --reuid postgres --regid postgres --clear-groups "$bin/postgres" -D "$data" \
  -c "listen_addresses=*" -c unix_socket_directories=/run/postgresql
