// hot-loop LOCK OPTIONS HOLD: from a line on stdin until the next one, takes a lock again and again, and holds it for HOLD
// ms each time. Says when it has begun, and at the end how often it had the lock.
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { acquire } from '@howdah/lock'

const [path, options, hold] = process.argv.slice(2)
const end = new AbortController()
let times = 0
// By lines: both of them may come at once.
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
console.log('ready')
await lines.next()
void lines.next().then(() => end.abort())
console.log('begun')
do {
  const lock = await acquire(path, JSON.parse(options))
  times++
  await sleep(Number(hold))
  lock.release()
} while (!end.signal.aborted)
console.log(JSON.stringify({ times }))
process.exit()
