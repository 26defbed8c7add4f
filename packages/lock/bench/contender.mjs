// contender LOCKER PATH HOLD: from a line on stdin until the next, locks again and again and holds for HOLD ms each time.
// Then prints how that went, in JSON; instants are in nanoseconds by the clock that all processes share.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

const [name, path, hold] = process.argv.slice(2)
const ofDeno = 'deno' in process.versions
const { instant, lockers } = await import(ofDeno ? './deno-lockers.mjs' : './lockers.mjs')
const lock = lockers[name]
const end = new AbortController()
const holds = []
let longest = 0

await (
  await lock(`${path}.warm-up-${process.pid}`)
)()
console.log('ready')
await once(process.stdin, 'data')
process.stdin.once('data', () => end.abort())
const cpu = process.cpuUsage()
while (!end.signal.aborted) {
  const start = instant()
  const unlock = await lock(path)
  const from = instant()
  longest = Math.max(longest, (from - start) / 1e6)
  await sleep(Number(hold))
  holds.push([from, instant()])
  await unlock()
}
const { user, system } = process.cpuUsage(cpu)
console.log(JSON.stringify({ holds, longest, cpu: (user + system) / 1_000 }))
process.exit()
