// web-lock-storm DIRECTORY MARK: asks for locks at random until stdin ends, several at a time. A writer writes a value of its own to MARK and
// finds it there later; a reader finds the same value twice. Otherwise somebody had the lock who must not, and this fails.
import { openSync, readSync, writeSync } from 'node:fs'
import { setImmediate as breathe } from 'node:timers/promises'
import { LockManager } from '@howdah/lock/web-locks'

const [directory, mark] = process.argv.slice(2)
const locks = new LockManager(directory)
const fd = openSync(mark, 'r+')
const random = (below) => Math.floor(Math.random() * below)
const read = () => {
  const bytes = Buffer.alloc(24)
  readSync(fd, bytes, 0, bytes.length, 0)
  return bytes.toString()
}
const state = { goOn: true }
let values = 0
process.stdin.resume().once('end', () => {
  state.goOn = false
})

async function use(lock) {
  if (lock === null) return
  console.log('held')
  const value = `${process.pid}-${++values}`.padEnd(24)
  if (lock.mode === 'exclusive') writeSync(fd, value, 0)
  const before = read()
  for (let turn = random(20); turn > 0; turn--) await breathe()
  const after = read()
  const expected = lock.mode === 'exclusive' ? value : before
  if (after !== expected) throw new Error(`${lock.mode}: ${expected} became ${after}`)
}

async function ask() {
  const mode = random(3) === 0 ? 'exclusive' : 'shared'
  const ways = [
    () => ({ mode }),
    () => ({ mode, ifAvailable: true }),
    () => ({ mode, signal: AbortSignal.timeout(random(10)) }),
  ]
  try {
    await locks.request('name', ways[random(ways.length)](), use)
  } catch (error) {
    if (error.name !== 'TimeoutError') throw error
  }
}

await Promise.all(
  Array.from({ length: 3 }, async () => {
    while (state.goOn) {
      await ask()
      await breathe()
    }
  }),
)
