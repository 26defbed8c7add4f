import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hasMemory, tmpfs } from './scripts/in-memory.mjs'
import { workers } from './scripts/workers.mjs'

const memory = '/dev/shm'

/**
 * One cache for the PostgreSQLs of a whole test run, so that nobody's own is touched, and each is unpacked once; and one
 * place for state, so that no cluster of a test is listed among anybody's own.
 *
 * Every project of the workspace comes through here, and the first one makes them.
 */
export default function setup(): () => void {
  const removals = [
    testInMemory(),
    // The user as whom servers run gets through, when we are root.
    provide('HOWDAH_CACHE_DIR', 'howdah-test-cache-', 0o755),
    provide('HOWDAH_STATE_DIR', 'howdah-test-state-', 0o700),
    spareCertificates(),
  ]
  return () => {
    for (const remove of removals.toReversed()) remove()
  }
}

/**
 * Lets all temporary files lie in memory if there is room, for otherwise a third of the time is waiting for the disk. The
 * temporary directory of before is in `HOWDAH_TEST_SYSTEM_TMPDIR`. Who sets `TMPDIR` or `HOWDAH_TEST_DISK=1` has decided
 * already. Gives what undoes it.
 */
function testInMemory(): () => void {
  const isDecided = process.env['TMPDIR'] !== undefined || process.env['HOWDAH_TEST_DISK'] === '1'
  if (isDecided || !hasRoom()) return () => undefined
  process.env['HOWDAH_TEST_SYSTEM_TMPDIR'] = tmpdir()
  // A short name: that of a socket has at most 107 bytes.
  const path = mkdtempSync(join(memory, 'howdah-'))
  chmodSync(path, 0o1777)
  process.env['TMPDIR'] = path
  return () => {
    rmSync(path, { recursive: true, force: true })
    delete process.env['TMPDIR']
    delete process.env['HOWDAH_TEST_SYSTEM_TMPDIR']
  }
}

/** Whether there is memory for each worker's files, 1 GiB, and its processes, and programs may be run from there. */
function hasRoom(): boolean {
  if (process.platform !== 'linux') return false
  const wanted = workers * 2 ** 30
  try {
    const { type, bavail, bsize } = statfsSync(memory)
    if (type !== tmpfs || bavail * bsize < wanted) return false
    return hasMemory() && mayRunProgramsFrom(memory)
  } catch {
    return false
  }
}

/** Containers often have a place in memory from which nothing may be run. */
function mayRunProgramsFrom(place: string): boolean {
  const path = mkdtempSync(join(place, 'howdah-'))
  try {
    const program = join(path, 'program')
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 })
    return spawnSync(program).status === 0
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

/** Makes a directory and names it in a variable, unless that is set. Gives what undoes it. */
function provide(variable: string, prefix: string, mode: number): () => void {
  if (process.env[variable] !== undefined) return () => undefined
  const path = mkdtempSync(join(tmpdir(), prefix))
  chmodSync(path, mode)
  process.env[variable] = path
  return () => {
    rmSync(path, { recursive: true, force: true })
    delete process.env[variable]
  }
}

/**
 * Takes away the file of more certificates: Node reads all of it at each start, which takes longer than the rest of the start,
 * and the tests start thousands. Those that ask npm's own registry find its name in `HOWDAH_TEST_CERTIFICATES`. Gives what
 * undoes it.
 */
function spareCertificates(): () => void {
  const file = process.env['NODE_EXTRA_CA_CERTS']
  if (file === undefined) return () => undefined
  process.env['HOWDAH_TEST_CERTIFICATES'] = file
  delete process.env['NODE_EXTRA_CA_CERTS']
  return () => {
    process.env['NODE_EXTRA_CA_CERTS'] = file
    delete process.env['HOWDAH_TEST_CERTIFICATES']
  }
}
