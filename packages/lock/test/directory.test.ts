import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { Mutex, acquire, acquireSync, tryAcquire } from '../src/index.ts'

const ways = {
  acquire: (path: string) => acquire(path),
  tryAcquire: (path: string) => tryAcquire(path),
  acquireSync: async (path: string) => acquireSync(path),
  'a mutex': (path: string) => new Mutex(path).lock(),
}

describe.each(Object.entries(ways))('a slash at the end means a directory, for %s', (_, lock) => {
  it.each(['none/', 'none/.', 'none//'])('which is not made: %s', async (name) => {
    using directory = temporaryDirectory()
    await expect(lock(`${directory.path}/${name}`)).rejects.toMatchObject({
      code: 'ERR_LOCK_NOT_FOUND',
    })
    expect(readdirSync(directory.path)).toEqual([])
  })

  it('and no file', async () => {
    using directory = temporaryDirectory()
    writeFileSync(directory.file('file'), '')
    await expect(lock(`${directory.file('file')}/`)).rejects.toMatchObject({
      code: 'ERR_LOCK_NOT_FOUND',
      message: expect.stringContaining('(ENOTDIR)'),
    })
  })

  it('and locks an existing one, also by a link', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('real'))
    symlinkSync('real', directory.file('link'))
    for (const name of ['real/', 'link/']) {
      const held = await lock(directory.file(name))
      expect(await tryAcquire(directory.file('real'))).toBeNull()
      held?.release()
    }
    expect(readdirSync(directory.path).toSorted()).toEqual(['link', 'real'])
  })
})

describe('a lock on a directory never becomes one on a file', () => {
  it.each([true, false])(
    'if the directory is removed while another waits; fair: %s',
    async (fair) => {
      using directory = temporaryDirectory()
      const path = directory.file('directory')
      mkdirSync(path)
      using held = await acquire(path)
      const late = acquire(path, { fair, onWait: () => rmdirSync(path) })
      late.catch(() => undefined)
      while (existsSync(path)) await new Promise(setImmediate)
      held.release()
      await expect(late).rejects.toMatchObject({ code: 'ERR_LOCK_NOT_FOUND', path })
      expect(readdirSync(directory.path)).toEqual([])
    },
  )

  it('also if a file is made in its place', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('directory')
    mkdirSync(path)
    using held = await acquire(path)
    const late = acquire(path, {
      onWait: () => {
        rmdirSync(path)
        writeFileSync(path, '')
      },
    })
    late.catch(() => undefined)
    while (statSync(path).isDirectory()) await new Promise(setImmediate)
    held.release()
    await expect(late).rejects.toMatchObject({ code: 'ERR_LOCK_NOT_FOUND', path })
  })

  it('but goes on with a directory that is made anew', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('directory')
    mkdirSync(path)
    using held = await acquire(path)
    const late = acquire(path, {
      onWait: () => {
        rmdirSync(path)
        mkdirSync(path)
      },
    })
    using lock = await late
    expect(lock.isCurrent()).toBe(true)
    expect(held.isCurrent()).toBe(false)
  })
})
