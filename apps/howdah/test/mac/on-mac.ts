import { onMacDouble, whyNoMacDouble, type MacOptions, type MacResult } from '@howdah/fixtures'
import { postgresForContainers } from '../postgres-for-containers.ts'

/** Why nothing can be tried on the double of a Mac, or `null`; said once for each file of tests. */
export const whyNoMac = whyNoMacDouble()
if (whyNoMac !== null) console.log(`no tests on the double of a Mac: ${whyNoMac}`)

/** Runs a script on a double of a Mac that has a PostgreSQL, with one more command: `must STATUS COMMAND …` fails unless it ends so. */
export async function onMac(script: string, options?: MacOptions): Promise<MacResult> {
  return await onMacDouble(commands + script, await postgresForContainers(), options)
}

const commands = `
must() {
  wanted=$1; shift
  found=0; "$@" || found=$?
  [ "$found" = "$wanted" ] || { echo "$* ended with $found" >&2; exit 99; }
}
server() { head -1 .howdah/data/postmaster.pid; }
ended() { while kill -0 "$1" 2>/dev/null; do sleep 0.05; done; }
`
