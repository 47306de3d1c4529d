#!/bin/sh
# Postgres for the read model: made at the first start, with the password that the settings hold. Nothing in it is truth.
set -eu

data=/drover/postgres/data
bin=$(echo /usr/lib/postgresql/*/bin)
as_postgres='setpriv --reuid postgres --regid postgres --clear-groups'

# Made beside its place, and moved there whole: one that was cut short is made again.
if [ ! -d $data ]; then
  rm -rf $data.new
  install -d -o postgres ${data%/*}
  install -m 600 -o postgres /drover/secrets/postgres.password /run/password
  $as_postgres "$bin/initdb" -D $data.new -U drover --pwfile /run/password \
    --auth scram-sha-256 --encoding UTF8 --locale C.UTF-8
  rm /run/password
  echo 'host all all all scram-sha-256' >>$data.new/pg_hba.conf
  echo 'CREATE DATABASE drover' | $as_postgres "$bin/postgres" --single -D $data.new postgres
  mv $data.new $data
fi
install -d -o postgres /run/postgresql
exec $as_postgres "$bin/postgres" -D $data -c 'listen_addresses=*' -c unix_socket_directories=/run/postgresql
