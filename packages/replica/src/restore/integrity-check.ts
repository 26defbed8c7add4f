import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { ReplicaError } from '../errors.ts'
import type { IntegrityCheck, IntegrityCheckMode } from './restore-options.ts'

const program = 'sqlite3'
const pragmas = { full: 'integrity_check', quick: 'quick_check' } as const

/** The check runs in its own thread, because node:sqlite blocks the thread. */
const inThread = `
  process.emitWarning = () => {}
  const { parentPort, workerData } = require('node:worker_threads')
  const { DatabaseSync } = require('node:sqlite')
  const database = new DatabaseSync(workerData.path, { readOnly: true })
  const rows = database.prepare('PRAGMA ' + workerData.pragma).all()
  database.close()
  parentPort.postMessage(rows.map((row) => Object.values(row)[0]))
`

/**
 * Checks a database file with SQLite: with Node's own if this Node has it, otherwise with the `sqlite3` program if it is on
 * PATH.
 *
 * The result says which one checked it, or why none did. Throws `ERR_REPLICA_INTEGRITY` if SQLite finds a fault.
 */
export async function checkIntegrity(
  path: string,
  mode: IntegrityCheckMode,
  signal: AbortSignal | undefined,
): Promise<IntegrityCheck> {
  if (mode === 'none') return { mode, checkedBy: null, skipped: 'not wanted' }
  try {
    const checkedBy = isBuiltin('node:sqlite') ? 'node:sqlite' : program
    const found =
      checkedBy === 'node:sqlite'
        ? await checkInThread(path, pragmas[mode], signal)
        : await checkByProgram(path, pragmas[mode], signal)
    if (found === null) {
      const skipped = 'this Node has no node:sqlite, and there is no sqlite3 on PATH'
      return { mode, checkedBy: null, skipped }
    }
    if (found.length !== 1 || found[0] !== 'ok') {
      throw unsound(path, found.slice(0, 3).join('; '))
    }
    return { mode, checkedBy }
  } finally {
    // SQLite makes these files for a database in WAL mode even if it only reads.
    for (const suffix of ['-wal', '-shm']) await rm(path + suffix, { force: true })
  }
}

async function checkInThread(
  path: string,
  pragma: string,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const worker = new Worker(inThread, { eval: true, workerData: { path, pragma } })
  const abort = (): void => void worker.terminate()
  signal?.addEventListener('abort', abort)
  try {
    return await new Promise<string[]>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', (cause) => reject(unsound(path, cause.message, cause)))
      worker.once('exit', () => {
        reject(signal?.aborted ? signal.reason : unsound(path, 'the check ended without a result'))
      })
    })
  } finally {
    signal?.removeEventListener('abort', abort)
    await worker.terminate()
  }
}

async function checkByProgram(
  path: string,
  pragma: string,
  signal: AbortSignal | undefined,
): Promise<string[] | null> {
  const uri = `${pathToFileURL(path).href}?immutable=1`
  const args = ['-batch', '-noheader', '-init', '', uri, `PRAGMA ${pragma}`]
  return await new Promise((resolve, reject) => {
    execFile(program, args, { signal }, (cause, stdout, stderr) => {
      if (cause === null) resolve(stdout.trim().split('\n'))
      else if (cause.code === 'ENOENT') resolve(null)
      else if (signal?.aborted) reject(signal.reason)
      else reject(unsound(path, stderr.trim() || cause.message, cause))
    })
  })
}

function unsound(path: string, why: string, cause?: unknown): ReplicaError {
  return new ReplicaError(
    'ERR_REPLICA_INTEGRITY',
    `SQLite finds the restored database damaged: ${why}; restore an earlier state`,
    { path, cause },
  )
}
