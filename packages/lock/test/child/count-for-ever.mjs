// count-for-ever LOCK COUNTER: counts up in a file for ever, and says each number while it still has the lock.
import { openSync, readSync, writeSync } from 'node:fs'
import { acquire } from '@howdah/lock'

const [path, counter] = process.argv.slice(2)
const fd = openSync(counter, 'r+')
const bytes = Buffer.alloc(8)
for (;;) {
  const lock = await acquire(path)
  readSync(fd, bytes, 0, 8, 0)
  const number = Number(bytes) + 1
  writeSync(fd, String(number).padStart(8), 0)
  writeSync(1, `${number}\n`)
  lock.release()
}
