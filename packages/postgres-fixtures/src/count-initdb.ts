import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Lets the initdb of a directory of programs count how often it makes a cluster. Later clusters with the same arguments are
 * copies of the first, which takes a tenth of the time. `place` is a new directory for that.
 */
export function countInitdb(bindir: string, place: string): { times(): number } {
  const initdb = join(bindir, 'initdb')
  const log = join(place, 'log')
  mkdirSync(place)
  writeFileSync(log, '')
  // Servers, and so initdb, run as another user if this process is root's.
  chmodSync(place, 0o777)
  chmodSync(log, 0o666)
  renameSync(initdb, `${initdb}.real`)
  // What only syncs makes no cluster.
  const script = `#!/bin/sh
case "$1 $*" in
  *--sync-only*) exec "$0.real" "$@" ;;
  --pgdata*) echo ran >>'${log}' ;;
  *) exit 1 ;;
esac
to=$2
shift 2
made='${place}'/$(echo "$*" | cksum | tr ' ' -)
[ ! -d "$made" ] || exec cp -Rp "$made"/* "$to"
"$0.real" --pgdata "$to" "$@" && mkdir "$made.new" && cp -Rp "$to"/* "$made.new" && mv "$made.new" "$made"
`
  writeFileSync(initdb, script, { mode: 0o755 })
  return { times: () => readFileSync(log, 'utf8').split('\n').length - 1 }
}
