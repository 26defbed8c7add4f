// @vitest-environment-options { "alone": "file-store-publishing" }
import { readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import type * as Promises from 'node:fs/promises'
import { basename } from 'node:path'
import type * as Durable from '@howdah/durable'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { FileStore } from '../src/file/file-store.ts'
import { refusalOf } from './describe-leaser.ts'

/** What is written, brought to disk and named, in its order; the calls are made all the same. */
const seen = vi.hoisted(() => ({
  calls: [] as string[],
  failing: '',
  code: '',
  /** What another process does before a call. */
  before: (_call: string): void => undefined,
  /** What another process does after a listing. */
  listed: (): void => undefined,
  note(call: string): void {
    // Temporary files have a part of their name by chance.
    const named = call.replaceAll(/\.[\da-f-]{36}\.tmp/g, '.tmp')
    seen.calls.push(named)
    seen.before(named)
    if (named !== seen.failing) return
    seen.failing = ''
    throw Object.assign(new Error('made to fail'), { code: seen.code })
  },
}))

vi.mock('@howdah/durable', async (original) => {
  const real = await original<typeof Durable>()
  return {
    ...real,
    writeNewFile: async (...args: Parameters<typeof real.writeNewFile>) => {
      seen.note(`write ${basename(args[0])}`)
      await real.writeNewFile(...args)
    },
    syncDirectory: async (path: string) => {
      seen.note('sync')
      await real.syncDirectory(path)
    },
  }
})

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Promises>()
  return {
    ...real,
    link: async (from: string, to: string) => {
      seen.note(`link ${basename(from)} ${basename(to)}`)
      await real.link(from, to)
    },
    rename: async (from: string, to: string) => {
      seen.note(`rename ${basename(from)} ${basename(to)}`)
      await real.rename(from, to)
    },
    rm: async (path: string) => {
      seen.note(`remove ${basename(path)}`)
      await real.rm(path, { force: true })
    },
    stat: async (path: string) => {
      if (path.endsWith('.tmp')) seen.note(`stat ${basename(path)}`)
      return await real.stat(path)
    },
    readdir: async (path: string) => {
      const names = await real.readdir(path)
      seen.listed()
      return names
    },
  }
})

let directory: TemporaryDirectory
let store: FileStore
const warnings: unknown[] = []

beforeEach(() => {
  directory = temporaryDirectory()
  warnings.length = 0
  const warn = (_message: string, about?: object) => void warnings.push(about)
  store = new FileStore(directory.path, 'lock', { warn })
  Object.assign(seen, {
    calls: [],
    failing: '',
    code: 'EIO',
    before: () => undefined,
    listed: () => undefined,
  })
})
afterEach(() => directory[Symbol.dispose]())

const names = () => readdirSync(directory.path).toSorted()
const swap = async (text: string) => await store.swap(await store.read(), Buffer.from(text))

/** A record as it is while nothing goes wrong. */
const published = [
  'write .lock.1.tmp',
  'link .lock.1.tmp lock.1',
  'stat .lock.1.tmp',
  'sync',
  'write .lock.1.tmp',
  'rename .lock.1.tmp lock',
  'remove .lock.1.tmp',
]

describe('a record', () => {
  test('has its number when it is written, and counts when that is on disk', async () => {
    await swap('one')
    expect(seen.calls).toEqual(published)
    expect(names()).toEqual(['lock', 'lock.1'])
    expect(readFileSync(directory.file('lock'), 'utf8')).toBe('one')
  })

  test('that is old goes when the file for people is new', async () => {
    for (const text of ['one', 'two']) await swap(text)
    seen.calls = []
    await swap('three')
    expect(seen.calls.slice(-3)).toEqual([
      'rename .lock.3.tmp lock',
      'remove lock.1',
      'remove .lock.3.tmp',
    ])
  })

  test.each([
    ['write .lock.1.tmp', []],
    ['link .lock.1.tmp lock.1', []],
    ['stat .lock.1.tmp', ['lock.1']],
    ['sync', ['.lock.1.tmp', 'lock.1']],
  ])('does not count if the disk fails at: %s', async (failing, left) => {
    seen.failing = failing
    expect(await refusalOf(swap('one'))).toMatchObject({
      code: 'ERR_LEASE_UNAVAILABLE',
      cause: { code: 'EIO' },
    })
    expect(names().map((name) => name.replace(/\.[\da-f-]{36}/, ''))).toEqual(left)
    expect(warnings).toEqual([])
  })

  test('cannot be made if there are no hard links', async () => {
    Object.assign(seen, { failing: 'link .lock.1.tmp lock.1', code: 'EPERM' })
    expect(await refusalOf(swap('one'))).toMatchObject({ code: 'ERR_LEASE_STORE' })
  })

  test('is another’s if that linked it first, or was so far ahead that it cleared ours', async () => {
    Object.assign(seen, { failing: 'link .lock.1.tmp lock.1', code: 'EEXIST' })
    expect(await swap('one')).toBeNull()
    Object.assign(seen, { failing: 'stat .lock.1.tmp', code: 'ENOENT' })
    expect(await swap('one')).toBeNull()
  })

  test('counts though the file for people cannot be renewed, which is said', async () => {
    seen.failing = 'rename .lock.1.tmp lock'
    expect(await swap('one')).toMatchObject({ present: true })
    expect(warnings).toMatchObject([{ error: { code: 'EIO' } }])
    await swap('two')
    expect(readFileSync(directory.file('lock'), 'utf8')).toBe('two')
    Object.assign(seen, { failing: 'remove lock.1' })
    await swap('three')
    expect(warnings).toHaveLength(2)
    seen.before = (call) => {
      if (call === 'write .lock.4.tmp' && names().includes('lock.4')) seen.failing = call
    }
    await swap('four')
    expect(warnings).toHaveLength(3)
  })

  test('counts though others who are ahead have cleared what was to be the file for people', async () => {
    Object.assign(seen, { failing: 'rename .lock.1.tmp lock', code: 'ENOENT' })
    expect(await swap('one')).toMatchObject({ present: true })
    expect(warnings).toEqual([])
  })
})

describe('the present state', () => {
  test('is looked for again if its record was cleared before it was read', async () => {
    let at = 0
    const goOn = () => {
      if (at > 0) unlinkSync(directory.file(`lock.${at}`))
      at += 1
      writeFileSync(directory.file(`lock.${at}`), `state ${at}`)
    }
    goOn()
    seen.listed = () => {
      if (at < 100) goOn()
    }
    const { bytes, version } = await store.read()
    expect([String(Buffer.from(bytes ?? [])), version]).toEqual(['state 100', 100])
    seen.listed = goOn
    const refusal = await refusalOf(store.read())
    expect(refusal).toMatchObject({ code: 'ERR_LEASE_UNAVAILABLE' })
    expect(at).toBe(200)
  })

  test('is not waited for by who gives up', async () => {
    const abort = new AbortController()
    writeFileSync(directory.file('lock.1'), 'state')
    seen.listed = () => {
      unlinkSync(directory.file('lock.1'))
      abort.abort(new Error('enough'))
    }
    await expect(store.read(abort.signal)).rejects.toThrow('enough')
  })
})
