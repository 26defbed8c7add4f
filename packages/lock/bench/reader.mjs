// reader PATH HOLD: reads under a shared lock again and again, until it is killed.
import { setTimeout as sleep } from 'node:timers/promises'
import { acquire } from '@howdah/lock'

const [path, hold] = process.argv.slice(2)
console.log('ready')
for (;;) {
  const lock = await acquire(path, { mode: 'shared' })
  await sleep(Number(hold))
  lock.release()
}
