/**
 * The watchdog where flock(1) or /proc is missing: a process of its own that does what the shell's does, by the same
 * descriptors and arguments. See the watchdog's script for why it does each thing in which order.
 */
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  rmdirSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Lock, acquire, identifyProcess, liveness, tryAcquire } from '@howdah/lock'
import { codeOf } from './caught.ts'
import { type ServerRecord, readRecord } from './record.ts'
import { isRecordedAlive, stopRecorded } from './stop-recorded.ts'

const [
  use = '',
  recordPath = '',
  ,
  ,
  change = '',
  directory = '',
  mark = '',
  wreck = '',
  last = '',
  pidFile = '',
] = process.argv.slice(2)
const watchdogLock = 3
const watched = fileIdentity(use)
let held: Lock | null = null

if (watched === null) {
  writeSync(1, `${use} does not exist\n`)
  process.exit(1)
}
writeSync(1, 'ready\n')
// Lets go of the pipe to whoever started us. The lowest free number is 1 again.
closeSync(1)
openSync('/dev/null', constants.O_WRONLY)
await watch()

async function watch(): Promise<void> {
  let lingered = ''
  for (;;) {
    if (!(await awaitUse())) return finishWreck()
    const record = readRecord(recordPath)
    if (isElsewhere(record)) return end()
    if (isRecordedAlive(record)) {
      if (record.pinned) return end()
      const life = JSON.stringify([record.process, record.joined])
      if (record.linger > 0 && lingered !== life) {
        lingered = life
        releaseUse()
        await keepLingering(record)
        continue
      }
      if (!(await stopRecorded(record))) return end()
    }
    if (mark === '' || fileIdentity(mark) === null) {
      removeRecord()
      return end()
    }
    if (await throwAway()) return end()
  }
}

/** Sleeps for as long as the server is to linger, and hardly longer than there is one. */
async function keepLingering(record: ServerRecord): Promise<void> {
  const deadline = performance.now() + record.linger * 1000
  for (;;) {
    const left = deadline - performance.now()
    if (left <= 0) return
    await sleep(Math.min(left, 1000))
    if (fileIdentity(use) !== watched || !isRecordedAlive(record)) return
  }
}

/** Use, exclusively; `false` when the subject that was watched is no more. */
async function awaitUse(): Promise<boolean> {
  try {
    held ??= await acquire(use, { create: false, fair: false })
  } catch (error) {
    if (codeOf(error) === 'ERR_LOCK_NOT_FOUND') return false
    throw error
  }
  return fileIdentity(use) === watched
}

function releaseUse(): void {
  held?.release()
  held = null
}

/** Like anybody who leaves: change first, then use. `false`: somebody joined. */
async function throwAway(): Promise<boolean> {
  releaseUse()
  if (fileIdentity(change) === null) return true
  const changeLock = await acquire(change, { create: false, fair: false })
  try {
    return await throwAwayUnderChange()
  } finally {
    changeLock.release()
  }
}

async function throwAwayUnderChange(): Promise<boolean> {
  if (fileIdentity(use) !== watched) return true
  held = await tryAcquire(use, { create: false })
  if (held === null) return false
  const record = readRecord(recordPath)
  if (isElsewhere(record)) return true
  if (isRecordedAlive(record)) return false
  if (!isOccupied()) remove()
  return true
}

/** Removed by somebody who was killed at it? Then the rest goes, too. */
async function finishWreck(): Promise<void> {
  releaseUse()
  if (mark !== '' && isWreck() && fileIdentity(change) !== null) {
    const changeLock = await acquire(change, { create: false, fair: false })
    if (isWreck()) remove()
    changeLock.release()
  }
  end()
}

function isWreck(): boolean {
  return fileIdentity(use) === null && fileIdentity(wreck) !== null
}

function isOccupied(): boolean {
  if (pidFile === '') return false
  try {
    const pid = Math.abs(Number(readFileSync(pidFile, 'utf8').split('\n')[0]))
    if (!Number.isSafeInteger(pid) || pid === 0 || identifyProcess(pid) === null) return false
    const cwd = fileIdentity(`/proc/${pid}/cwd`)
    return cwd === null || cwd === fileIdentity(directory)
  } catch {
    return false
  }
}

function remove(): void {
  // Never through a link: as root it would write where another user has pointed it.
  rmSync(wreck, { force: true })
  closeSync(openSync(wreck, 'wx'))
  rmSync(last, { force: true })
  for (const name of readdirSync(directory)) {
    const path = join(directory, name)
    if (path !== wreck) rmSync(path, { recursive: true, force: true })
  }
  rmSync(wreck, { force: true })
  removeRecord()
  try {
    rmdirSync(directory)
  } catch {
    // A mount point, or its parent is not ours: it is empty, and that has to do.
  }
}

function removeRecord(): void {
  rmSync(recordPath, { force: true })
  rmSync(`${recordPath}.new`, { force: true })
}

/** In another pid namespace of this kernel nobody can be seen from here, and so counts as alive. */
function isElsewhere(record: ServerRecord | null): boolean {
  const { bootId, pidNamespace } = identifyProcess(process.pid) ?? {}
  return (
    record !== null &&
    liveness(record.process) === 'unknown' &&
    record.process.bootId === bootId &&
    record.process.pidNamespace !== pidNamespace
  )
}

/** The watchdog lock goes first: whoever gets use next starts a new watchdog. */
function end(): void {
  closeSync(watchdogLock)
  releaseUse()
}

/** Which file is at the path, or `null` for none. */
function fileIdentity(path: string): string | null {
  const stat = path === '' ? undefined : statSync(path, { bigint: true, throwIfNoEntry: false })
  return stat === undefined ? null : `${stat.dev}:${stat.ino}`
}
