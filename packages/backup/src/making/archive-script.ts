import { type DataDirectory, quote } from '@howdah/data-directory'

/** The `archive_command` of a cluster that howdah backs up. Servers run it in the data directory, where the script lies. */
export const archiveCommand = `/bin/sh howdah.archive '%p' '%f'`

/** The path of the script in the data directory. */
export function archiveScriptFile(directory: DataDirectory): string {
  return directory.file('howdah.archive')
}

const words = /^to='((?:[^']|'\\'')*)'$/m

/** The directory into which a script archives; `null` if the text is no such script. */
export function archiveOf(script: string): string | null {
  const [, quoted] = words.exec(script) ?? []
  return quoted === undefined ? null : quoted.replaceAll(String.raw`'\''`, "'")
}

/**
 * The POSIX shell script that archives one WAL file. It uses only programs that every system has.
 *
 * A file appears in the archive complete and synced, by a link, which never replaces another file. If an equal file is there,
 * the script succeeds, because the server repeats its request after a crash. Status 1 makes the server try again later.
 */
export function archiveScript(wal: string): string {
  return String.raw`# Written by howdah. Archives one WAL file: its path from the data directory, and its name.
to=${quote(wal)}
from=$1
name=$2

fail() {
  rm -f -- "$temporary" 2>/dev/null
  printf 'howdah: cannot archive %s: %s\n' "$name" "$1" >&2
  exit 1
}

# Whether two files are the same; without cmp, by their checksums.
same() {
  if command -v cmp >/dev/null 2>&1; then
    cmp -s -- "$1" "$2"
  else
    [ "$(cksum <"$1")" = "$(cksum <"$2")" ]
  fi
}

# Brings files to disk. One sync(1) can sync files, another everything only; if it can sync the source, and not these, the
# disk of the archive fails.
settle() {
  sync -- "$@" 2>/dev/null && return
  ! sync -- "$from" 2>/dev/null || fail "what is in $to cannot be brought to disk"
  sync
}

temporary="$to/$name.$$.tmp"
[ -d "$to" ] || fail "there is no directory $to"

if [ -e "$to/$name" ]; then
  same "$from" "$to/$name" || fail "a different file of that name is in $to"
  settle "$to/$name" "$to"
  exit 0
fi

# What a killed one has left, of this or an earlier try.
rm -f -- "$to/$name".*.tmp
# dd syncs the file alone, if it can; what else there is syncs a file or everything.
if ! dd if="$from" of="$temporary" bs=1048576 conv=fsync 2>/dev/null; then
  reason=$(cp -- "$from" "$temporary" 2>&1) || fail "$reason"
  settle "$temporary"
fi
same "$from" "$temporary" || fail "it was not copied right"
if ! ln -- "$temporary" "$to/$name" 2>/dev/null; then
  [ ! -e "$to/$name" ] || fail "another file of that name has appeared in $to"
  # A file system without links.
  reason=$(mv -- "$temporary" "$to/$name" 2>&1) || fail "$reason"
fi
rm -f -- "$temporary"
settle "$to"
exit 0
`
}
