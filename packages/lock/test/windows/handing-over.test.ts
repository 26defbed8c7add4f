// @vitest-environment-options { "alone": "windows/handing-over" }
import { existsSync, readFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it, vi } from 'vitest'
import { hand } from '../support/scripted-locks.ts'
import { DataDirLock, PidFile, tryAcquire } from '../../src/index.ts'
import { LOCK_UN } from '../support/scripted-binding.ts'

describe('DataDirLock.release', () => {
  it('removes the pidfile and the identity while it still has the lock, so that they are never those of its successor', async () => {
    using directory = temporaryDirectory()
    const lock = await DataDirLock.acquire(directory.path, { durable: false })
    const atUnlocking: unknown[] = []
    hand.script = (fd, operation, flock) => {
      if (operation === LOCK_UN) {
        const identity = readFileSync(lock.path, 'utf8')
        atUnlocking.push([existsSync(directory.file('.howdah.pidfile')), identity])
      }
      return flock(fd, operation)
    }
    lock.release()
    expect(atUnlocking).toEqual([[false, '']])
  })

  it('releases the lock also if the pidfile cannot be removed', async () => {
    using directory = temporaryDirectory()
    const lock = await DataDirLock.acquire(directory.path, { durable: false })
    using _ = vi.spyOn(PidFile.prototype, 'remove').mockImplementation(() => {
      throw new Error('EIO')
    })
    lock.release()
    using free = await tryAcquire(lock.path)
    expect(free?.held).toBe(true)
  })
})
