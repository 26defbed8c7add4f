import { tryAcquire } from '@howdah/lock'
import { temporaryDirectory } from '@howdah/fixtures'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import { Store, maxIdentity, pathIdentity } from '../src/index.ts'
import { caught } from './support/caught.ts'
import { Child } from './support/child.ts'
import { fastDirectory } from './support/fast-directory.ts'
import { numberSchema } from './support/shape.ts'

const quick = { durable: false } as const

describe('a segment', () => {
  test('is made on first use, 0700, and is the same object for the same identity', async () => {
    using directory = temporaryDirectory()
    const store = new Store(directory.file('base'), quick)
    expect(existsSync(store.base), 'opening a store touches nothing').toBe(false)
    const segments = await Promise.all([store.segment(7), store.segment(7), store.segment(7)])
    expect(new Set(segments).size).toBe(1)
    expect(await store.segment(7)).toBe(segments[0])
    for (const path of [store.base, directory.file('base', '7')])
      expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  test('leaves the mode of an existing base alone', async () => {
    using directory = temporaryDirectory({ mode: 0o750 })
    await new Store(directory.path, quick).segment(7)
    expect(statSync(directory.path).mode & 0o777).toBe(0o750)
  })

  test.each([-1, 10_000, 1.5, Number.NaN, 2 ** 53])('is none for %d', async (identity) => {
    using directory = temporaryDirectory()
    const error = await caught(() => new Store(directory.path).segment(identity))
    expect(error.code).toBe('ERR_STORE_IDENTITY')
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('may have any identity of the range that the store is given', async () => {
    using directory = temporaryDirectory()
    const store = new Store(directory.path, { identities: { min: 10, max: maxIdentity } })
    expect((await store.segment(maxIdentity)).identity).toBe(2 ** 48 - 1)
    expect((await caught(() => store.segment(9))).code).toBe('ERR_STORE_IDENTITY')
    for (const identities of [{ max: 2 ** 48 }, { min: -1 }, { min: 3, max: 2 }, { max: 0.5 }])
      expect((await caught(() => new Store('x', { identities }))).code).toBe('ERR_STORE_OPTION')
  })

  test('of a path is that of the real path', () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('data'))
    symlinkSync(directory.file('data'), directory.file('link'))
    const identity = pathIdentity(directory.file('data'))
    expect(pathIdentity(directory.file('link'))).toBe(identity)
    expect(pathIdentity(directory.file('data', '..', 'data'))).toBe(identity)
    expect(pathIdentity(directory.path)).not.toBe(identity)
    // The first 48 bits of: printf / | sha256sum
    expect(pathIdentity('/')).toBe(0x8a5edab28263)
  })

  test('that could not be made is made by the next call: no failure is remembered', async () => {
    using directory = temporaryDirectory()
    const store = new Store(directory.file('base'), quick)
    writeFileSync(directory.file('base'), '')
    const failed = await caught(() => store.segment(7))
    expect(failed.code).toBe('ERR_STORE_IO')
    expect(failed.message).toContain('cannot open store segment 7')
    rmSync(directory.file('base'))

    mkdirSync(directory.file('base'))
    writeFileSync(directory.file('base', '7'), 'in the way')
    expect((await caught(() => store.segment(7))).code).toBe('ERR_STORE_IO')
    rmSync(directory.file('base', '7'))
    await (await store.segment(7)).save({})
  })

  test('is made by the next call after the big lock failed: no broken handle is kept', async () => {
    using directory = temporaryDirectory()
    const store = new Store(directory.path, quick)
    symlinkSync('nowhere', directory.file('lock'))
    const failed = await caught(() => store.segment(7))
    expect(failed.code).toBe('ERR_STORE_LOCK')
    expect(failed.message).toContain('cannot acquire big lock on the store')
    expect(failed.cause).toMatchObject({ code: 'ERR_LOCK_SYMLINK' })
    rmSync(directory.file('lock'))
    await (await store.segment(7)).save({})
  })

  test('is waited for by all callers while it is made', async () => {
    using directory = temporaryDirectory()
    const store = new Store(directory.path, quick)
    const bigLock = await tryAcquire(directory.file('lock'))
    let settled = 0
    const callers = Array.from({ length: 5 }, async () => {
      const segment = await store.segment(7)
      settled += 1
      return segment
    })
    await expect(store.segment(7, { timeout: 20 })).rejects.toMatchObject({
      code: 'ERR_STORE_LOCK_TIMEOUT',
    })
    expect(settled, 'nobody was given what is not made').toBe(0)
    expect(existsSync(directory.file('7'))).toBe(false)
    bigLock!.release()
    expect(new Set(await Promise.all(callers)).size).toBe(1)
  })

  test('that one caller no longer waits for is made for the others', async () => {
    using directory = temporaryDirectory()
    const store = new Store(directory.path, quick)
    const bigLock = await tryAcquire(directory.file('lock'))
    const abort = new AbortController()
    const impatient = store.segment(7, { signal: abort.signal })
    const patient = store.segment(7)
    const reason = new Error('enough')
    abort.abort(reason)
    await expect(impatient).rejects.toBe(reason)
    bigLock!.release()
    expect((await patient).identity).toBe(7)
  })
})

test.each(['/proc/nothing', '/proc/nothing/deeper/still', '/sys/nothing'])(
  'if nothing can be made, a segment is an error that says so: %s',
  async (base) => {
    const error = await caught(() => new Store(base).segment(1))
    expect(error).toMatchObject({ code: 'ERR_STORE_IO', step: 'create store segment 1' })
    expect(error.message).toMatch(/choose another place|this user may not/)
  },
)

describe('discarding a segment', () => {
  test('removes it if it is empty, and the next use makes it again', async () => {
    using directory = temporaryDirectory()
    const store = new Store(directory.path, quick)
    const segment = await store.segment(7)
    const entry = await segment.save({})
    expect(await store.discard(7), 'an entry is left').toBe(false)
    await entry.destroy()
    writeFileSync(directory.file('7', 'lock.gate'), '')
    expect(await store.discard(7)).toBe(true)
    expect(readdirSync(directory.path)).toEqual(['lock'])
    expect(await store.discard(7), 'it is gone').toBe(false)
    await segment.save({})
    expect(await new Store(directory.path).segment(7).then((other) => other.count())).toBe(1)
  })

  test('leaves alone a locked segment, and one that contains other files', async () => {
    using directory = temporaryDirectory()
    const store = new Store(directory.path, quick)
    const segment = await store.segment(7)
    const within = await segment.transaction(() => caught(() => store.discard(7)))
    expect(within.code).toBe('ERR_STORE_LOCK_ORDER')
    await using child = new Child('hold-lock', [directory.path, 7])
    await child.line()
    expect(await store.discard(7)).toBe(false)
    await child.kill()
    mkdirSync(directory.file('7', 'notes'))
    expect(await store.discard(7)).toBe(false)
    expect(existsSync(directory.file('7', 'notes'))).toBe(true)
  })

  test('makes nothing, and is refused with create: false', async () => {
    using directory = temporaryDirectory()
    expect(await new Store(directory.file('base')).discard(7)).toBe(false)
    expect(readdirSync(directory.path)).toEqual([])
    const looking = new Store(directory.file('base'), { create: false })
    expect((await caught(() => looking.discard(7))).code).toBe('ERR_STORE_OPTION')
    expect((await caught(() => looking.discard(-1))).code).toBe('ERR_STORE_IDENTITY')
  })
})

describe('the segments of a store', () => {
  test('are listed in ascending order; other files have an error and do not end the listing', async () => {
    using directory = temporaryDirectory()
    const store = new Store(directory.path, quick)
    for (const identity of [10, 9, 100]) await store.segment(identity)
    const none = ['007', '+7', '-1', '1e3', '10000', '0x10', ' 8', 'notes', '99999999999999999999']
    for (const name of none) mkdirSync(directory.file(name))
    writeFileSync(directory.file('12'), 'a file')
    symlinkSync(directory.file('9'), directory.file('13'))
    writeFileSync(directory.file('lock.gate'), '')

    const listed = await store.segments()
    const good = listed.filter(({ error }) => error === null)
    expect(good.map(({ identity }) => identity)).toEqual([9, 10, 100])
    const bad = listed.filter(({ error }) => error !== null)
    expect(bad.map(({ name }) => name).toSorted()).toEqual([...none, '12', '13'].toSorted())
    for (const { error, name } of bad) {
      expect(error?.code).toBe('ERR_STORE_IDENTITY')
      expect(error?.message).toContain(JSON.stringify(name))
    }
    let failures = 0
    for await (const { error } of store.all()) failures += error === null ? 0 : 1
    expect(failures).toBe(bad.length)
  })

  test('are none if there is no store, and listing makes nothing', async () => {
    using directory = temporaryDirectory()
    const store = new Store(directory.file('base'))
    expect(await store.segments()).toEqual([])
    for await (const entry of store.all()) expect(entry).toBeUndefined()
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('are read under the big lock', async () => {
    using directory = temporaryDirectory()
    const store = new Store(directory.path, quick)
    await store.segment(7)
    const bigLock = await tryAcquire(directory.file('lock'))
    const error = await caught(() => store.segments({ timeout: 0 }))
    expect(error.code).toBe('ERR_STORE_LOCK_TIMEOUT')
    bigLock!.release()
    expect(await store.segments({ timeout: 0 })).toHaveLength(1)
  })

  test('of a store that makes nothing are those that are there', async () => {
    using directory = temporaryDirectory()
    await (await new Store(directory.path, quick).segment(7)).save({ n: 1 })
    const files = () => readdirSync(directory.path, { recursive: true }).map(String).toSorted()
    const before = files()
    const looking = new Store(directory.path, { create: false })
    expect((await caught(() => looking.segment(8))).code).toBe('ERR_STORE_NOT_FOUND')
    expect(await (await looking.segment(7)).count()).toBe(1)
    for await (const entry of looking.all()) expect(entry.error).toBeNull()
    await using holder = new Child('hold-lock', [directory.path, 7])
    await holder.line()
    for await (const entry of looking.all({ timeout: 20 }))
      expect(entry).toMatchObject({ segment: 7, error: { code: 'ERR_STORE_LOCK_TIMEOUT' } })
    expect(files(), 'no gate either').toEqual(before)
  })
})

describe('all()', () => {
  test('yields every entry of every segment, oldest first', async () => {
    using directory = temporaryDirectory()
    const store = await filled(directory.path, 3, 100)
    const seen: string[] = []
    for await (const item of store.all())
      seen.push(item.error ? item.error.message : `${item.segment}/${item.state.n}`)
    expect(seen).toEqual(
      [0, 1, 2].flatMap((segment) => Array.from({ length: 100 }, (_, n) => `${segment}/${n}`)),
    )
  })

  test("runs none of the caller's code under a lock, neither the loop's nor the schema's", async () => {
    using directory = temporaryDirectory()
    await filled(directory.path, 2, 3)
    let validated = 0
    const schema = numberSchema(() => {
      validated += 1
    })
    const { validate } = schema['~standard']
    const store = new Store(directory.path, {
      schema: {
        '~standard': {
          ...schema['~standard'],
          validate: async (value) => {
            await expectNoLockHeld(directory.path)
            return validate(value)
          },
        },
      },
    })
    for (const identity of [0, 1, 2]) await store.segment(identity)
    for await (const item of store.all()) {
      await expectNoLockHeld(directory.path)
      // If a lock were held, this would wait for itself.
      const segment = await store.segment(item.segment!)
      expect(await segment.count({ timeout: 0 })).toBe(3)
    }
    expect(validated).toBe(6)
  })

  test.each(['break', 'return', 'throw'])('left by %s leaves no lock held', async (way) => {
    using directory = temporaryDirectory()
    const store = await filled(directory.path, 3, 100)
    const leave = async (): Promise<void> => {
      let seen = 0
      for await (const item of store.all()) {
        if (item.error || ++seen < 70) continue
        if (way === 'break') break
        if (way === 'return') return
        throw new Error('left')
      }
    }
    const outcome = await leave().catch((error: Error) => error.message)
    expect(outcome).toBe(way === 'throw' ? 'left' : undefined)
    await expectNoLockHeld(directory.path)
  })

  test('that is abandoned without return() leaves no lock held', async () => {
    using directory = temporaryDirectory()
    const store = await filled(directory.path, 3, 1)
    const { value } = await store.all().next()
    expect(value?.error).toBeNull()
    await expectNoLockHeld(directory.path)
  })

  test('passes over entries that are destroyed meanwhile', async () => {
    using directory = temporaryDirectory()
    const store = await filled(directory.path, 1, 200)
    let seen = 0
    for await (const item of store.all()) {
      seen += 1
      if (seen > 1 || item.error) continue
      await (
        await store.segment(0)
      ).transaction(async (locked) => {
        for (const entry of await locked.entries()) await entry.destroy()
      })
    }
    expect(seen, 'those of the first batch').toBe(64)
  })

  test('goes on after a segment that cannot be locked', async () => {
    using directory = temporaryDirectory()
    const store = await filled(directory.path, 3, 1)
    rmSync(directory.file('1', 'lock'))
    symlinkSync('nowhere', directory.file('1', 'lock'))
    const seen: unknown[] = []
    for await (const { segment, error } of store.all()) seen.push([segment, error?.code])
    expect(seen).toEqual([
      [0, undefined],
      [1, 'ERR_STORE_LOCK'],
      [2, undefined],
    ])
  })

  test('needs little memory, however many entries there are', async () => {
    // Making 10,000 files on a disk may take half a minute.
    using directory = fastDirectory()
    const store = new Store<{ text: string }>(directory.path, quick)
    const text = 'x'.repeat(3_000)
    for (const [identity, count] of [
      [1, 9_000],
      [2, 1_000],
    ] as const) {
      const segment = await store.segment(identity)
      await segment.transaction(async (locked) => {
        for (let n = 0; n < count; n++) await locked.save({ text })
      })
    }
    const small = ['--max-old-space-size=20']
    await using listing = new Child('big-states', [directory.path, 'pass'], small)
    expect(await listing.line()).toBe('10000')
    expect(await listing.ended).toBe('status 0')
    // The control: keeping all entries takes more memory than this process has.
    await using keeping = new Child('big-states', [directory.path, 'keep'], small)
    expect(await keeping.lines()).not.toContain('10000')
    expect(await keeping.ended).not.toBe('status 0')
  })
})

test('every error of the file system names the step and the path', async () => {
  using directory = temporaryDirectory()
  const store = new Store(directory.path, quick)
  const segment = await store.segment(7)
  const entry = await segment.save({})
  rmSync(entry.path)
  mkdirSync(entry.path)
  const error = await caught(() => entry.destroy())
  expect(error.code).toBe('ERR_STORE_IO')
  expect(error.path).toBe(entry.path)
  expect(error.step).toBe(`destroy entry ${entry.name} of store segment 7`)
  expect(error.cause).toMatchObject({ syscall: 'unlink' })
})

async function expectNoLockHeld(base: string): Promise<void> {
  for (const path of ['lock', '0/lock', '1/lock', '2/lock']) {
    using lock = await tryAcquire(`${base}/${path}`)
    expect(lock?.path).toBe(`${base}/${path}`)
  }
}

async function filled(base: string, segments: number, each: number): Promise<Store<{ n: number }>> {
  const store = new Store<{ n: number }>(base, quick)
  for (let identity = 0; identity < segments; identity++) {
    const segment = await store.segment(identity)
    await segment.transaction(async (locked) => {
      for (let n = 0; n < each; n++) await locked.save({ n })
    })
  }
  return store
}
