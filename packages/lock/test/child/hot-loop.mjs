// hot-loop LOCK OPTIONS HOLD: from a line on stdin until the next one, takes a lock again and again, and holds it for HOLD
// ms each time. Then says how often, and its longest wait in ms.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { acquire } from '@howdah/lock'

const [path, options, hold] = process.argv.slice(2)
const end = new AbortController()
let times = 0
let longest = 0
console.log('ready')
await once(process.stdin, 'data')
process.stdin.once('data', () => end.abort())
while (!end.signal.aborted) {
  const start = performance.now()
  const lock = await acquire(path, JSON.parse(options))
  longest = Math.max(longest, performance.now() - start)
  times++
  await sleep(Number(hold))
  lock.release()
}
console.log(JSON.stringify({ times, longest }))
process.exit()
