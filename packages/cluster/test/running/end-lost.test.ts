import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import {
  killed,
  linuxOnly,
  temporaryDirectory,
  type TemporaryDirectory,
  until,
} from '@howdah/fixtures'
import { acquire, inspect } from '@howdah/lock'
import { DataDirectory } from '@howdah/data-directory'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endLost } from '../../src/running/end-lost.ts'

let home: TemporaryDirectory
let directory: DataDirectory

beforeEach(() => {
  home = temporaryDirectory()
  directory = new DataDirectory(home.file('data'))
  for (const name of ['', 'base', 'global']) mkdirSync(directory.file(name))
  mkdirSync(home.file('bin'))
  // As a program that counts as PostgreSQL's server.
  copyFileSync('/bin/sleep', home.file('bin', 'postgres'))
})
afterEach(() => home[Symbol.dispose]())

async function serverIn(cwd: string): Promise<ChildProcess & Disposable> {
  const child = killed(spawn(home.file('bin', 'postgres'), ['600'], { cwd, stdio: 'ignore' }))
  await once(child, 'spawn')
  return child
}

const putBack = () => writeFileSync(directory.versionFile, '18\n')

describe(
  'a server without PG_VERSION is ended',
  linuxOnly('/proc, which tells where a process works'),
  () => {
    it('if it works in this very directory, and then something is done under change', async () => {
      using server = await serverIn(directory.path)
      using other = await serverIn(home.path)
      const ended = once(server, 'exit')
      let isHeld = false
      const then = async () => {
        isHeld = (await inspect(directory.path)).holders.length === 1
      }
      expect(await endLost(directory, {}, then)).toBe(true)
      expect([(await ended)[1], other.signalCode, isHeld]).toEqual(['SIGINT', null, true])
      expect((await inspect(directory.path)).holders).toEqual([])
    })

    it('not if that was put back while one waited for change', async () => {
      using server = await serverIn(directory.path)
      const change = await acquire(directory.path)
      let isDone = false
      const ending = endLost(directory, {}, async () => void (isDone = true))
      const waits = async () => (await inspect(directory.path)).waiters.length > 0
      await until('it waits for change', waits)
      putBack()
      change.release()
      expect(await ending).toBe(false)
      expect([server.signalCode, isDone]).toEqual([null, false])
    })

    it('not if nothing is missing, and nobody is waited for then', async () => {
      using server = await serverIn(directory.path)
      putBack()
      using _ = await acquire(directory.path)
      expect(await endLost(directory, {})).toBe(false)
      expect(server.signalCode).toBeNull()
    })

    it('not if there is none; the wait for change has its limits', async () => {
      let isDone = false
      expect(await endLost(directory, {}, async () => void (isDone = true))).toBe(false)
      expect([isDone, existsSync(directory.path)]).toEqual([false, true])
      using _ = await acquire(directory.path)
      const refusal = { code: 'ERR_LOCK_TIMEOUT' }
      await expect(endLost(directory, { waitTimeout: 0 })).rejects.toMatchObject(refusal)
      const aborted = endLost(directory, { signal: AbortSignal.abort(new Error('enough')) })
      await expect(aborted).rejects.toThrow('enough')
    })
  },
)
