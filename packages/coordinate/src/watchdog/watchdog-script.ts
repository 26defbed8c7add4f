import { serverLockDescriptor } from '../launch/server-lock.ts'

/**
 * The watchdog, for any POSIX shell with a /proc and flock(1): dash, busybox ash, bash.
 *
 * Its arguments are the use file, the record, the subject's identity, this kernel's boot id, the pid namespace, the watchdog
 * file, the server file and the change file. If the subject may be thrown away, these follow: the directory, its path from
 * the watchdog's working directory, the mark, the wreck marker, the last file and the pid file.
 *
 * It works in the directory of the use file, and gets the paths below that directory as relative paths. So it stays with a
 * directory that is moved, and is not misled by another directory at the old path.
 *
 * Its descriptors: 1 tells the process that spawned it `ready`, or an error; 3 is the inherited watchdog lock; 5 is the use
 * file; 6 is the change file; 7 is the server's lock file. On SIGKILL the kernel closes 3 before 5, so a process that then
 * gets use finds the watchdog lock free. No child gets 3, and only flock gets 5, 6 and 7, so no child holds a lock after the
 * watchdog is killed. It never takes change while it holds use, because a process that joins takes change first and then
 * waits for use.
 */
export const watchdogScript = String.raw`
set -f
exec 2>&1 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-
use=$1 record=$2 this_subject=$3 this_boot=$4 this_namespace=$5
watchdog=$6 server=$7 change=$8 directory=$9
shift 9
inside=$1 mark=$2 wreck=$3 last=$4 pid_file=$5 lingered= stopped= perishing= failures=0

# We release the watchdog lock first: the next process that gets use starts a new watchdog.
end() { exec 3<&-; exec 5<&-; exit 0; }

# Children get only the locks that they need. In subshells, for dash closes the descriptors of a plain command in the
# shell itself meanwhile, and keeps them above 9: beyond the order in which they have to be closed.
free() { (exec 3<&- 5<&- 6<&- 7<&-; exec "$@"); }
keep_use() { (exec 3<&- 6<&- 7<&-; exec "$@"); }
keep_change() { (exec 3<&- 5<&- 7<&-; exec "$@"); }
keep_server() { (exec 3<&- 5<&- 6<&-; exec "$@"); }

# The kernel gives us use when the last user has gone, however it ended.
await_use() {
  until keep_use flock -x 5; do
    failures=$((failures + 1))
    [ "$failures" -lt 60 ] || end
    free sleep 1
  done
}

release_use() { keep_use flock -u 5; }

# Whether the subject is still the watched one. If not, another one was made in its place, with locks of its own.
same_use() { [ "$use" -ef /proc/self/fd/5 ]; }

# Whether the subject itself is still there, though its use file was removed or replaced.
same_subject() { [ "$watchdog" -ef /proc/self/fd/3 ]; }

load() {
  pid= start= boot= namespace= of= signal= still=0 cwd= bound= pinned= perishes= linger=0 joined=
  [ -f "$record" ] && [ -r "$record" ] || return 0
  while IFS= read -r line; do
    value=${'$'}{line#* }
    case $line in
      'pid '*) pid=$value ;;
      'start '*) start=$value ;;
      'boot '*) boot=$value ;;
      'namespace '*) namespace=$value ;;
      'of '*) of=$value ;;
      'signal '*) signal=${'$'}{value#SIG} ;;
      'still '*) still=$value ;;
      'cwd '*) cwd=$value ;;
      'bound '*) bound=$value ;;
      'pinned yes') pinned=yes ;;
      'perishes yes') perishes=yes perishing=yes ;;
      'linger '*) linger=$value ;;
      'joined '*) joined=$value ;;
    esac
  done <"$record"
  # A record that was copied with its directory belongs to another subject.
  [ "$of" = "$this_subject" ] || pid=
  case $pid in *[!0-9]*) pid= ;; esac
  case $linger in *[!0-9.]*) linger=0 ;; esac
  case $still in *[!0-9]*) still=0 ;; esac
  case $signal in HUP | INT | QUIT | TERM | USR1 | USR2) ;; *) pid= ;; esac
}

# Reads a proc_pid_stat(5). The name in parentheses may contain parentheses, blanks and line breaks.
read_stat() {
  stat=
  { while IFS= read -r line || [ -n "$line" ]; do stat="$stat $line"; done <"/proc/$1/stat"; } 2>/dev/null
  [ -n "$stat" ]
}

# Whether the recorded process runs: the same pid, started at the same tick of the same boot. A zombie is dead.
alive() {
  [ -n "$pid" ] && [ "$boot" = "$this_boot" ] && [ "$namespace" = "$this_namespace" ] || return 1
  read_stat "$pid" || return 1
  set -- ${'$'}{stat##*)}
  case $1 in '' | Z | X | x) return 1 ;; esac
  [ "${'$'}{20}" = "$start" ]
}

# Whether the server lives in another pid namespace of this kernel, so that it cannot be signalled from here.
elsewhere() {
  [ -n "$pid" ] && [ "$boot" = "$this_boot" ] && [ "$namespace" != "$this_namespace" ] && served
}

# A server keeps its working directory. A process that works elsewhere is another one, whatever its start time is.
ours() {
  [ "$cwd" = here ] && [ -e "/proc/$pid/cwd" ] || return 0
  [ "/proc/$pid/cwd" -ef . ]
}

# Whether the directory is no longer at the path by which the server reaches its files. Not if we may not look.
moved() {
  [ -n "$bound" ] && ! [ "$bound" -ef . ] || return 1
  [ ! -e "$bound" ] || return 0
  above=$bound
  until [ -e "$above" ] || [ -z "$above" ]; do above=${'$'}{above%/*}; done
  [ -x "${'$'}{above:-/}" ]
}

# Whether the server's lock is held: then a server lives, here or in another container.
served() {
  [ -e /proc/self/fd/7 ] || return 1
  ! keep_server flock -s -n 7 || { keep_server flock -u 7; return 1; }
}

# Whether the process has the server's lock.
has_lock() { [ "/proc/$1/fd/${serverLockDescriptor}" -ef /proc/self/fd/7 ]; }

# The subject was removed, and its record with it: the server is known by its lock. Of its processes, it is the one whose
# parent is none of them. There is nothing left that it could bring to an orderly end.
quit_left() {
  served || return 0
  set +f
  set -- /proc/[0-9]*
  set -f
  for process in "$@"; do
    process=${'$'}{process#/proc/}
    has_lock "$process" || continue
    read_stat "$process" || continue
    parent=${'$'}{stat##*) ? }
    has_lock "${'$'}{parent%% *}" || kill -s QUIT "$process"
  done
  polls=0
  while served && [ "$polls" -ne 1500 ]; do
    free sleep 0.02 || free sleep 1
    polls=$((polls + 1))
  done
}

# Describes the work of the server and its children so far; empty while one of them runs or waits for a disk.
trace() {
  trace=
  [ -r "/proc/$pid/task/$pid/children" ] || return 0
  children=
  IFS= read -r children <"/proc/$pid/task/$pid/children"
  for process in $pid $children; do
    read_stat "$process"
    set -- ${'$'}{stat##*)}
    case $1 in R | D) trace= && return 0 ;; esac
    trace="$trace $process ${'$'}{12} ${'$'}{13}"
  done
}

# Ends the server and waits until it is really gone. Never SIGKILL, which leaves shared memory behind. SIGQUIT follows if
# it stands still for as long as its record says, and after 30 s in any case. A server that was moved is told to quit at
# once, because its last checkpoint would go to what lies at its old path.
stop() {
  ! moved || signal=QUIT
  kill -s "$signal" "$pid" || ! alive || end
  # A suspended process would not get the signal.
  kill -s CONT "$pid"
  polls=0 before= stood=0
  while alive; do
    free sleep 0.02 || free sleep 1
    polls=$((polls + 1))
    if [ "$still" -gt 0 ] && [ "$((polls % 25))" -eq 0 ]; then
      trace
      if [ -n "$trace" ] && [ "$trace" = "$before" ]; then stood=$((stood + 1)); else stood=0; fi
      before=$trace
      [ "$stood" -ne "$((still * 2))" ] || kill -s QUIT "$pid"
    fi
    [ "$polls" -ne 1500 ] || kill -s QUIT "$pid"
  done
}

# Sleeps for as long as the server has to linger. Returns within a second if the server ends first.
keep_lingering() {
  left=${'$'}{linger%%.*}
  while [ "${'$'}{left:=0}" -gt 1 ]; do
    free sleep 1
    left=$((left - 1))
    same_use && alive && ! moved || return 0
  done
  case $linger in *.*) free sleep "$left.${'$'}{linger#*.}" && return 0 ;; esac
  free sleep "$left"
}

# Whether the files of a server that perishes with them are being removed: its record is gone, and it lives.
perishing() { [ -z "$pid" ] && [ -n "$perishing" ] && served; }

# A pinned server needs no users. It is watched only because its files may be removed or moved, and then it ends.
keep_pinned() {
  while same_use; do
    load
    perishing || { alive && [ -n "$pinned" ]; } || return 0
    if moved; then ours && stop; return 0; fi
    free sleep 0.5 || free sleep 1
  done
  same_subject || { quit_left; end; }
}

# Whether somebody else's server runs in the directory: its pid file names a process, no zombie, that works there.
occupied() {
  [ -n "$pid_file" ] && [ -f "$pid_file" ] && [ -r "$pid_file" ] || return 1
  IFS= read -r other <"$pid_file"
  other=${'$'}{other#-}
  case $other in '' | *[!0-9]*) return 1 ;; esac
  read_stat "$other" || return 1
  case ${'$'}{stat##*) } in [ZXx]*) return 1 ;; esac
  [ ! -e "/proc/$other/cwd" ] || [ "/proc/$other/cwd" -ef "$directory" ]
}

# Whether it is to be left alone: it was moved, as by somebody who removes it; what a killed server has left running does
# not end; or somebody else's server runs.
kept() {
  [ "$directory" -ef "$inside" ] || return 0
  polls=0
  while served && [ "$polls" -ne 250 ]; do
    free sleep 0.02 || free sleep 1
    polls=$((polls + 1))
  done
  served || occupied
}

take_change() {
  [ -e "$change" ] || end
  exec 6<"$change"
  keep_change flock -x 6 && [ "$change" -ef /proc/self/fd/6 ]
}

# The file by which it exists goes first. The marker goes last, so that a rest is recognized as a wreck.
remove() {
  # Never through a link: as root it would empty the file that another user has pointed it at.
  free rm -f -- "$wreck" || return 1
  set -C
  true >"$wreck" || { set +C; return 1; }
  set +C
  free rm -f -- "$last" || return 1
  set +f --
  for entry in "$directory"/* "$directory"/.[!.]* "$directory"/..?*; do
    [ "$entry" -ef "$wreck" ] || set -- "$@" "$entry"
    [ "$#" -lt 100 ] || { free rm -rf -- "$@"; set --; }
  done
  set -f; free rm -rf -- "$@"
  free rm -f -- "$wreck" "$record" "$record.new"
  free rmdir -- "$directory"
}

[ -r /proc/self/stat ] || { echo no-proc; exit 1; }
exec 5<"$use"
# If the directory is missing, no server can start.
[ ! -e "$server" ] || exec 7<"$server"
# Whether there is a flock(1) that works on descriptors: it must be able to unlock an unlocked one.
release_use >/dev/null 2>&1 || { echo no-flock; exit 1; }
same_use || { echo "$use was replaced"; exit 1; }
echo ready
exec >/dev/null 2>&1

while :; do
  await_use
  if ! same_use; then
    # A process may have been killed while it removed the subject.
    if [ -n "$mark" ] && [ ! -e "$use" ] && [ -e "$wreck" ]; then
      release_use
      take_change || end
      if [ ! -e "$use" ] && [ -e "$wreck" ] && ! kept; then remove; fi
      end
    fi
    # The files may be removed in any order, and slowly.
    while [ ! -e "$use" ] && same_subject; do
      load
      perishing || { alive && [ -n "$pinned" ] && [ -n "$perishes" ]; } || break
      free sleep 0.1 || free sleep 1
    done
    if ! same_subject; then
      quit_left
      end
    fi
    if [ -e "$use" ]; then
      # There is another use file at its path, which new users lock from now on.
      exec 5<"$use"
      continue
    fi
    load
    if alive && [ -z "$pinned" ] && ours; then stop; fi
    end
  fi
  load
  ! elsewhere || end
  if perishing; then
    release_use
    free sleep 0.1 || free sleep 1
    continue
  fi
  if alive; then
    ours || end
    if moved; then
      :
    elif [ -n "$pinned" ]; then
      [ -n "$perishes" ] || end
      release_use
      keep_pinned
      continue
    elif [ "$linger" != 0 ] && [ "$lingered" != "$pid $start $joined" ]; then
      lingered="$pid $start $joined"
      release_use
      keep_lingering
      continue
    fi
    stop
    stopped=yes
  fi
  if [ -z "$mark" ] || [ ! -e "$mark" ]; then
    # We keep the record of a killed server: it tells which server left the files.
    [ -z "$stopped" ] || free rm -f -- "$record" "$record.new"
    end
  fi
  # To throw it away, take change first, like every user that leaves. Meanwhile somebody may join.
  release_use
  if take_change && keep_use flock -n -x 5; then
    same_use || end
    load
    ! elsewhere || end
    if ! alive; then
      kept || remove
      end
    fi
  fi
  exec 6<&-
done
`
