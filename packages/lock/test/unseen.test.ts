import { execFileSync, spawnSync } from 'node:child_process'
import { linuxOnly, temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { acquire, inspect, tryAcquire } from '../src/index.ts'

const unshare = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'] as const
const canUnshare = spawnSync(unshare[0], [...unshare.slice(1), 'true']).status === 0
const reason = canUnshare ? '' : ' (skipped: this process may make no pid namespace)'

/** What `inspect` says inside of a pid namespace. */
function inspectInside(path: string): unknown {
  const source = `
    import { inspect } from '@howdah/lock'
    console.log(JSON.stringify(await inspect(process.argv[1])))`
  const words = [process.execPath, '--input-type=module', '-e', source, path]
  const inside = execFileSync(unshare[0], [...unshare.slice(1), ...words], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  })
  return JSON.parse(inside)
}

describe.skipIf(!canUnshare)(`inside of a pid namespace${reason}`, () => {
  it.each(['exclusive', 'shared'] as const)(
    'a lock that is held %s outside is held by somebody unseen',
    async (mode) => {
      using directory = temporaryDirectory()
      using lock = await acquire(directory.file('lock'), { mode })
      expect(inspectInside(lock.path)).toEqual({ holders: [], waiters: [], unseen: mode })
      expect(lock.held).toBe(true)
    },
  )

  it('and so is a lock on a directory', async () => {
    using directory = temporaryDirectory()
    using lock = await acquire(directory.path)
    expect(inspectInside(lock.path)).toMatchObject({ unseen: 'exclusive' })
  })

  it('a free lock is held by nobody, is free afterwards, and no file is made', async () => {
    using directory = temporaryDirectory()
    const free = { holders: [], waiters: [], unseen: null }
    expect(inspectInside(directory.file('none'))).toEqual(free)
    ;(await acquire(directory.file('lock'))).release()
    expect(inspectInside(directory.file('lock'))).toEqual(free)
    using lock = await tryAcquire(directory.file('lock'))
    expect(lock?.held).toBe(true)
  })
})

it('a holder that can be seen is not unseen', linuxOnly('/proc/locks'), async () => {
  using directory = temporaryDirectory()
  using lock = await acquire(directory.file('lock'))
  expect(await inspect(lock.path)).toMatchObject({ holders: [{ pid: process.pid }], unseen: null })
})
