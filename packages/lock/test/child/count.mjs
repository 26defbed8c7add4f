// count LOCK COUNTER TIMES WAY: increments a number in a file, each time under the lock.
import { openSync, readSync, writeSync } from 'node:fs'
import { DataDirLock, acquire, acquireSync, lockedFile, tryAcquire, withLock } from '@howdah/lock'

const [path, counter, times, way] = process.argv.slice(2)

// In place: to truncate a file costs milliseconds on some disks.
const fd = openSync(counter, 'r+')
const increment = () => {
  const bytes = Buffer.alloc(8)
  readSync(fd, bytes, 0, 8, 0)
  writeSync(fd, String(Number(bytes) + 1).padStart(8), 0)
}

const ways = {
  fair: () => withLock(path, {}, increment),
  unfair: () => withLock(path, { fair: false }, increment),
  upgraded: async () => {
    const lock = await acquire(path, { mode: 'shared' })
    const upgraded = tryUpgrade(lock)
    if (upgraded) increment()
    lock.release()
    if (!upgraded) await withLock(path, {}, increment)
  },
  downgraded: async () => {
    const lock = await acquire(path)
    increment()
    lock.downgrade()
    lock.release()
  },
  sync: () => {
    const lock = acquireSync(path)
    increment()
    lock.release()
  },
  try: () => again(async () => tryAcquire(path)),
  timeout: () => again(async () => acquire(path, { timeout: 3 }).catch(expect('ERR_LOCK_TIMEOUT'))),
  handoff: () =>
    again(async () =>
      DataDirLock.acquire(path, { name: 'handoff', durable: false }).catch(expect('ERR_LOCK_HELD')),
    ),
  transform: () =>
    lockedFile.transform(counter, (old) => String(Number(old) + 1), { durable: false }),
}

function tryUpgrade(lock) {
  try {
    return lock.tryUpgrade()
  } catch (error) {
    return expect('ERR_LOCK_LOST')(error) !== null
  }
}

async function again(attempt) {
  for (;;) {
    const lock = await attempt()
    if (lock) {
      increment()
      return lock.release()
    }
    await new Promise(setImmediate)
  }
}

function expect(code) {
  return (error) => {
    if (error.code !== code) throw error
    return null
  }
}

for (let done = 0; done < Number(times); done++) await ways[way]()
