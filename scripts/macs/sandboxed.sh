#!/bin/sh
# A sandbox in which /bin/ps may not run, and one that also tells nothing of processes. $1: the command howdah, as a path.
set -eu
howdah=$1
place=$(mktemp -d)
cd "$place"
no_ps='(version 1)(allow default)(deny process-exec* (literal "/bin/ps"))'
nothing="$no_ps"'(deny process-info*)(deny sysctl-read)'

"$howdah" start
server=$(head -1 .howdah/data/postmaster.pid)
echo '== without /bin/ps the addon knows the server'
sandbox-exec -p "$no_ps" "$howdah" exec -- true
echo '== nothing is removed, started or signalled if nobody tells'
for refusal in '1 destroy --force' '1 stop' '125 exec -- true'; do
  command=${refusal#* }
  status=0
  sandbox-exec -p "$nothing" "$howdah" $command || status=$?
  [ "$status" = "${refusal%% *}" ] || { echo "$command ended with $status"; exit 1; }
  kill -0 "$server" || { echo "after $command the server is gone"; exit 1; }
  [ "$(head -1 .howdah/data/postmaster.pid)" = "$server" ] || { echo "after $command there is another"; exit 1; }
done
"$howdah" destroy --force
cd /
rm -rf "$place"
echo '== done'
