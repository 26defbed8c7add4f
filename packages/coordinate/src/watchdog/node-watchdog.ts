/**
 * The watchdog for systems without flock(1) or /proc. It is a Node process that does the same as the shell script, with the
 * same descriptors and arguments. The script explains the order of the steps.
 */
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  rmSync,
  rmdirSync,
  watch as watchFile,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errno } from '@howdah/durable'
import { type Lock, acquire, identifyProcess, readPlainFile, tryAcquire } from '@howdah/lock'
import type { ServerRecord } from '../record/server-record.ts'
import { isMoved } from '../record/is-moved.ts'
import { readRecord } from '../record/record.ts'
import { isOfElsewhere, isServed } from '../launch/server-lock.ts'
import { isRecordedAlive, stopRecorded, worksIn } from '../ending/stop-recorded.ts'
import { WatchedFile, descriptorIdentity, fileIdentity } from './watched-file.ts'

const [
  use = '',
  record = '',
  ,
  ,
  ,
  watchdog = '',
  server = '',
  change = '',
  directory = '',
  inside = '',
  mark = '',
  wreck = '',
  last = '',
  pidFile = '',
] = process.argv.slice(2)
const paths = { use, record, server, change }
const watchdogLock = 3
const first = WatchedFile.open(use)
let held: Lock | null = null
/** The last record that was read. It is kept because the file may be removed with the subject. */
let known: ServerRecord | null = null

if (first === null) {
  writeSync(1, `${use} does not exist\n`)
  process.exit(1)
}
let watched = first
writeSync(1, 'ready\n')
// Closes the pipe to the process that started us. The lowest free number is 1 again.
closeSync(1)
openSync('/dev/null', constants.O_WRONLY)
let stopAttending = attend()
await watch()
stopAttending()

function remember(): void {
  try {
    known = readRecord(paths) ?? known
  } catch {
    // The record cannot be read at this moment.
  }
}

/**
 * Remembers the record, and reads it again at every change. While there is no record it looks often, because a server that is
 * being started may be removed at any time.
 */
function attend(): () => void {
  const again = (): void => {
    stopAttending()
    stopAttending = attend()
  }
  try {
    const watcher = watchFile(record, { persistent: false }, again).on('error', again)
    remember()
    return () => watcher.close()
  } catch {
    // There is no record yet, or the system has no watches left.
    remember()
    const timer = setTimeout(again, known === null ? 20 : 500)
    return () => clearTimeout(timer)
  }
}

async function watch(): Promise<void> {
  let lingered = ''
  let stopped = false
  for (;;) {
    if (!(await awaitUse())) {
      if (await finish()) return end()
      continue
    }
    const found = readRecord(paths)
    if (await isElsewhere(found)) return end()
    if (found === null && isPerishing()) {
      releaseUse()
      await sleep(100)
      continue
    }
    if (isRecordedAlive(found)) {
      const isToQuit = isMoved(found, dirname(use))
      if (!isToQuit && found.pinned && !found.perishes) return end()
      if (!isToQuit && found.pinned) {
        releaseUse()
        await keepPinned()
        continue
      }
      const life = JSON.stringify([found.process, found.joined])
      if (!isToQuit && found.linger > 0 && lingered !== life) {
        lingered = life
        releaseUse()
        await keepLingering(found)
        continue
      }
      if (!(await stopRecorded(paths, found))) return end()
      stopped = true
    }
    if (mark === '' || fileIdentity(mark) === null) {
      // We keep the record of a killed server: it tells which server left the files.
      if (stopped) removeRecord()
      return end()
    }
    if (await throwAway()) return end()
  }
}

/** Sleeps for as long as the server has to linger. Returns within a second if the server ends first. */
async function keepLingering(found: ServerRecord): Promise<void> {
  const deadline = performance.now() + found.linger
  for (let left = found.linger; left > 0; left = deadline - performance.now()) {
    await sleep(Math.min(left, 1000))
    if (!watched.isCurrent() || !isRecordedAlive(found) || isMoved(found, dirname(use))) return
  }
}

/** Watches a pinned server. Such a server needs no users, but has to end when its files are removed or moved. */
async function keepPinned(): Promise<void> {
  while (watched.isCurrent()) {
    const found = readRecord(paths) ?? (isPerishing() ? known : null)
    if (!isRecordedAlive(found) || !found.pinned) return
    if (isMoved(found, dirname(use))) return void (await stopRecorded(paths, found))
    await sleep(500)
  }
}

/** Waits for use, exclusively; `false` if its file was removed or replaced, and nobody uses that any more. */
async function awaitUse(): Promise<boolean> {
  if (await takeUse()) return true
  releaseUse()
  while (!watched.isFree()) await sleep(100)
  return false
}

async function takeUse(): Promise<boolean> {
  try {
    // Makes Node forget the old path of the working directory, which may have been moved.
    process.chdir('.')
    held ??= await acquire(use, { create: false, fair: false })
  } catch (error) {
    const code = errno(error)
    if (code === 'ERR_LOCK_NOT_FOUND' || code === 'ENOENT') return false
    throw error
  }
  return watched.isCurrent()
}

function releaseUse(): void {
  held?.release()
  held = null
}

/** Takes change first and then use, like every user that leaves. `false`: somebody has joined. */
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
  if (!watched.isCurrent()) return true
  // As in `takeUse`.
  process.chdir('.')
  held = await tryAcquire(use, { create: false })
  if (held === null) return false
  const found = readRecord(paths)
  if (await isElsewhere(found)) return true
  if (isRecordedAlive(found)) return false
  if (!(await isKept())) remove()
  return true
}

/** Finishes after the watched use file is gone. `false`: there is a new one to watch. */
async function finish(): Promise<boolean> {
  if (mark !== '' && isWreck()) {
    releaseUse()
    if (fileIdentity(change) === null) return true
    // If a process was killed while it removed the subject, remove the rest.
    const changeLock = await acquire(change, { create: false, fair: false })
    if (isWreck() && !(await isKept())) remove()
    changeLock.release()
    return true
  }
  // The files may be removed in any order, and slowly.
  while (fileIdentity(use) === null && isWatchedSubject() && isPerishing('pinned')) await sleep(100)
  const isSameSubject = isWatchedSubject()
  const next = isSameSubject ? WatchedFile.open(use) : null
  if (next !== null) {
    watched.close()
    watched = next
    return false
  }
  remember()
  if (known === null || (isSameSubject && known.pinned)) return true
  // Without its files the server cannot end in an orderly way.
  await stopRecorded(paths, isSameSubject ? known : { ...known, signal: 'SIGQUIT' })
  return true
}

function isWatchedSubject(): boolean {
  return fileIdentity(watchdog) === descriptorIdentity(watchdogLock)
}

/** Whether a server that perishes with its files lives. If it has no record, its files are being removed. */
function isPerishing(which?: 'pinned'): boolean {
  return known?.perishes === true && (which === undefined || known.pinned) && isRecordedAlive(known)
}

function isWreck(): boolean {
  return fileIdentity(use) === null && fileIdentity(wreck) !== null
}

/**
 * Whether the directory must be kept: it was moved, processes left by a killed server do not end, or somebody else's server
 * runs in it.
 */
async function isKept(): Promise<boolean> {
  if (fileIdentity(directory) !== fileIdentity(inside)) return true
  for (let look = 0; look < 250 && (await isServed(paths)); look++) await sleep(20)
  return (await isServed(paths)) || isOccupied()
}

function isOccupied(): boolean {
  if (pidFile === '') return false
  try {
    const pid = Math.abs(Number(readPlainFile(pidFile).split('\n')[0]))
    if (!Number.isSafeInteger(pid) || pid === 0 || identifyProcess(pid) === null) return false
    return worksIn(directory, pid)
  } catch {
    return false
  }
}

function remove(): void {
  // The marker is never written through a link, because as root it would be written wherever another user has pointed the
  // link.
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
    // It is a mount point, or its parent is not ours. It is empty, which has to be enough.
  }
}

function removeRecord(): void {
  rmSync(record, { force: true })
  rmSync(`${record}.new`, { force: true })
}

/** Whether the server lives in another pid namespace of this kernel, so that it cannot be signalled from here. */
async function isElsewhere(found: ServerRecord | null): Promise<boolean> {
  return isOfElsewhere(found) && (await isServed(paths))
}

/** We release the watchdog lock first: the next process that gets use starts a new watchdog. */
function end(): void {
  closeSync(watchdogLock)
  releaseUse()
}
