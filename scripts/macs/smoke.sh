#!/bin/sh
# The usual life of a cluster on a Mac, with kills. $1: the command howdah, as a path. It works in an empty directory of its own, and
# ends only processes that it has started.
set -eu
howdah=$1
place=$(mktemp -d)
cd "$place"
step() { printf '== %s\n' "$*"; }
wait_for_end() { while kill -0 "$1" 2>/dev/null; do sleep 0.1; done; }
server() { head -1 .howdah/data/postmaster.pid; }

step exec, status and refusals while it is in use
"$howdah" exec -- sh -c "'$howdah' status; '$howdah' stop && exit 9; [ \$? = 75 ]"
"$howdah" ls

step a killed user
"$howdah" exec -- sh -c 'head -1 .howdah/data/postmaster.pid >server; echo $$ >child; kill -9 $PPID; exec sleep 1000' && exit 9
wait_for_end "$(cat server)"
kill "$(cat child)"

step a killed server
"$howdah" exec -- sh -c 'kill -9 $(head -1 .howdah/data/postmaster.pid)' || true
"$howdah" shell -c 'create table kept as select 42 as answer'

step a killed watchdog
"$howdah" exec -- sh -c '
  watchdog=$(ps -A -o pid= -o ppid= -o command= | awk -v user="$PPID" "\$2 == user && /node-watchdog/ { print \$1 }")
  kill -9 "$watchdog" && exec "$0" exec -- true' "$howdah"

step a busy backend that outlives its killed server
"$howdah" start
"$howdah" shell -c 'select sum(i) from generate_series(1, 1e9::bigint) as i' >/dev/null 2>&1 &
sleep 2
kill -9 "$(server)"
wait || true
"$howdah" shell -c 'select answer from kept' | grep 42

step backup and restore
"$howdah" backup --into backups
"$howdah" destroy --force
"$howdah" restore --from backups --to restored
"$howdah" shell -D restored -c 'select answer from kept' | grep 42
"$howdah" destroy -D restored --force

step temporary
"$howdah" exec --temporary -- true
cd /
rm -rf "$place"
step done
