import { temporaryDirectory } from '@howdah/fixtures'
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import { EntryId, Store, currentProcess } from '../src/index.ts'
import { caught } from './support/caught.ts'
import { Child } from './support/child.ts'
import { numberSchema } from './support/shape.ts'

const quick = { durable: false } as const

describe('saving', () => {
  test('needs the lock', async () => {
    using directory = temporaryDirectory()
    const locked = await (await new Store(directory.path, quick).segment(7)).lock()
    locked.release()
    for (const action of [
      () => locked.save({}),
      () => locked.entries(),
      () => locked.count(),
      () => locked.reap(),
      () => locked.find('00000000'),
    ]) {
      const error = await caught(action)
      expect(error.code).toBe('ERR_STORE_NOT_LOCKED')
      expect(error.message).toContain('store segment 7')
      expect(error.message).toContain('it needs the lock')
    }
  })

  test('gives what loads again', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store<{ n: number }>(directory.path).segment(7)
    const entry = await segment.save({ n: 4 }, { kind: 200 })
    expect(await entry.kind()).toBe(200)
    expect(await entry.load()).toEqual({
      error: null,
      segment: 7,
      id: entry.id,
      kind: 200,
      process: currentProcess(),
      state: { n: 4 },
      entry,
    })
  })

  test('has kinds from 0 to 255', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, quick).segment(7)
    for (const kind of [0, 255]) {
      expect(await (await segment.save({}, { kind })).kind()).toBe(kind)
    }
    for (const kind of [-1, 256, 1.5, NaN]) {
      expect((await caught(() => segment.save({}, { kind }))).code).toBe('ERR_STORE_OPTION')
    }
  })

  test('can be done again under an id whose entry is destroyed', async () => {
    using directory = temporaryDirectory()
    using locked = await (await new Store(directory.path, quick).segment(7)).lock()
    const id = EntryId.create()
    await (await locked.save({ n: 1 }, { id })).destroy()
    expect((await (await locked.save({ n: 2 }, { id })).load()).state).toEqual({ n: 2 })
  })

  test('under an existing id is an error, and keeps the existing entry', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, quick).segment(7)
    const id = EntryId.create()
    const entry = await segment.save({ n: 1 }, { id })
    expect((await caught(() => segment.save({ n: 2 }, { id }))).code).toBe('ERR_STORE_ENTRY_EXISTS')
    expect((await entry.load()).state).toEqual({ n: 1 })
  })

  test('twice at once under one id saves one', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path).segment(7)
    const id = EntryId.create()
    const results = await segment.transaction((locked) =>
      Promise.allSettled([locked.save({ n: 1 }, { id }), locked.save({ n: 2 }, { id })]),
    )
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(await segment.count()).toBe(1)
  })

  test.each([
    ['what the schema refuses', { n: 'one' }, 'n: is not a number'],
    ['what JSON does not carry', { n: Number.NaN }, 'n: is not a number'],
    ['what cannot be encoded', { n: 1n }, 'cannot encode'],
  ])('refuses %s, and leaves nothing behind', async (_, state, why) => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, { schema: numberSchema() }).segment(7)
    // @ts-expect-error: states that the schema refuses
    const error = await caught(() => segment.save(state))
    expect(error.code).toBe('ERR_STORE_INVALID_STATE')
    expect(error.message).toContain(why)
    expect(readdirSync(directory.file('7'))).toEqual(['lock'])
  })

  test.each([-1, 256, 1.5])('refuses %d as a kind', async (kind) => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, quick).segment(7)
    expect((await caught(() => segment.save({}, { kind }))).code).toBe('ERR_STORE_OPTION')
  })

  test('in a segment that was removed while it was locked is refused', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, quick).segment(7)
    using locked = await segment.lock()
    renameSync(directory.file('7'), directory.file('away'))
    const again = await new Store(directory.path, quick).segment(7)
    using other = await again.lock()
    expect(other.held).toBe(true)
    expect((await caught(() => locked.save({}))).code).toBe('ERR_STORE_LOCK_LOST')
  })

  test('with another codec writes the bytes of that codec', async () => {
    using directory = temporaryDirectory()
    const codec = {
      encode: (value: unknown) => Buffer.from(JSON.stringify(value)).toReversed(),
      decode: (bytes: Uint8Array): unknown =>
        JSON.parse(Buffer.from(bytes.toReversed()).toString()),
    }
    const segment = await new Store(directory.path, { ...quick, codec }).segment(7)
    const entry = await segment.save({ n: 1 })
    expect((await entry.load()).state).toEqual({ n: 1 })
    expect(readFileSync(entry.path).toString('utf8', 16, 17)).toBe('}')
  })
})

describe('the entries of a segment', () => {
  test('are listed oldest first, without the lock, its gate and temporary files', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, quick).segment(7)
    const names = []
    for (let n = 0; n < 5; n++) names.push((await segment.save({ n })).name)
    writeFileSync(directory.file('7', 'lock.gate'), '')
    writeFileSync(directory.file('7', `.${EntryId.create().text}.tmp`), 'half')
    using locked = await segment.lock()
    expect((await locked.entries()).map(({ name }) => name)).toEqual(names)
    expect(await locked.count()).toBe(5)
  })

  test('and other files, which have an error that every method repeats', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, quick).segment(7)
    const good = await segment.save({ n: 1 })
    const asDirectory = EntryId.create().text
    const asLink = EntryId.create().text
    mkdirSync(directory.file('7', asDirectory))
    symlinkSync(good.path, directory.file('7', asLink))
    writeFileSync(directory.file('7', 'notes.txt'), '')
    writeFileSync(directory.file('7', good.name.toUpperCase().replace(/^0/, 'F')), '')

    using locked = await segment.lock()
    const entries = await locked.entries()
    expect(entries).toHaveLength(5)
    const bad = entries.filter(({ error }) => error !== null)
    expect(bad).toHaveLength(4)
    for (const entry of bad) {
      expect(entry.id).toBeNull()
      expect(entry.error?.code).toBe('ERR_STORE_ENTRY_NAME')
      for (const operation of [() => entry.kind(), () => entry.load(), () => entry.destroy()])
        expect(await caught(operation)).toBe(entry.error)
    }
    expect(await locked.count(), 'invalid names do not count').toBe(1)
    expect(readdirSync(directory.file('7')), 'nothing was removed').toHaveLength(6)
  })

  test('are counted alike by a second store on the same base', async () => {
    using directory = temporaryDirectory()
    const one = await new Store(directory.path, quick).segment(7)
    const other = await new Store(directory.path, quick).segment(7)
    expect(await other.count()).toBe(0)
    const entry = await one.save({})
    expect(await other.count()).toBe(1)
    await entry.destroy()
    expect(await other.count()).toBe(0)
  })

  test('are found by 8 to 16 digits of the random half', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, quick).segment(7)
    const one = '00000000000000010123456789abcdef'
    const other = '00000000000000020123456700000000'
    await segment.save({}, { id: EntryId.parse(one)! })
    await segment.save({}, { id: EntryId.parse(other)! })
    using locked = await segment.lock()
    expect((await locked.find('0123456789abcdef'))?.name).toBe(one)
    expect((await locked.find('012345670'))?.name).toBe(other)
    expect(await locked.find('ffffffff')).toBeNull()
    const several = await caught(() => locked.find('01234567'))
    expect(several.code).toBe('ERR_STORE_AMBIGUOUS_ID')
    expect(several.message).toContain(`${one} and ${other}`)
    for (const prefix of ['0123456', '0123456789abcdef0', 'ABCDEF01', ''])
      expect((await caught(() => locked.find(prefix))).code).toBe('ERR_STORE_OPTION')
  })

  test('are destroyed once', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, quick).segment(7)
    const entry = await segment.save({})
    expect(await entry.destroy()).toBe(true)
    expect(await entry.destroy()).toBe(false)
    expect((await caught(() => entry.load())).code).toBe('ERR_STORE_ENTRY_GONE')
    {
      await using disposed = await segment.save({})
      expect(await segment.count()).toBe(1)
      expect(disposed.error).toBeNull()
    }
    expect(await segment.count()).toBe(0)
  })
})

describe('a transaction', () => {
  test('unlocks also when it throws, and passes on what was thrown', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, quick).segment(7)
    const thrown = new Error('mine')
    await expect(
      segment.transaction(() => {
        throw thrown
      }),
    ).rejects.toBe(thrown)
    expect(await segment.transaction(() => 'result', { timeout: 0 })).toBe('result')
  })

  test('within itself is refused instead of waiting for itself for ever', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, quick).segment(7)
    await segment.transaction(async () => {
      for (const action of [() => segment.lock(), () => segment.save({}), () => segment.reap()]) {
        const error = await caught(action)
        expect(error.code).toBe('ERR_STORE_LOCK_ORDER')
        expect(error.message).toContain('cannot acquire lock on store segment 7')
        expect(error.message).toContain('this runs under that very lock')
      }
    })
  })

  test('never takes the big lock or a lower segment, but may take a higher one', async () => {
    using directory = temporaryDirectory()
    const store = new Store(directory.path, quick)
    const [five, seven, nine] = [
      await store.segment(5),
      await store.segment(7),
      await store.segment(9),
    ]
    await seven.transaction(async () => {
      for (const action of [
        () => store.segments(),
        () => store.segment(8),
        () => store.all().next(),
        () => five.lock(),
      ]) {
        const error = await caught(action)
        expect(error.code).toBe('ERR_STORE_LOCK_ORDER')
        expect(error.message).toContain('this runs under a lock that comes after it')
      }
      expect(await store.segment(9)).toBe(nine)
      expect(await nine.count()).toBe(0)
    })
    expect((await store.segments()).map(({ identity }) => identity)).toEqual([5, 7, 9])
  })

  test('may have transactions of other stores in it, in which its own rules still hold', async () => {
    using directory = temporaryDirectory()
    const store = new Store(directory.file('one'), quick)
    const other = new Store(directory.file('other'), quick)
    const [seven, eight] = [await store.segment(7), await store.segment(8)]
    const first = await other.segment(1)
    await seven.transaction(() =>
      first.transaction(async () => {
        expect((await caught(() => seven.lock())).code).toBe('ERR_STORE_LOCK_ORDER')
        expect((await caught(() => store.segments())).code).toBe('ERR_STORE_LOCK_ORDER')
        expect(await eight.count()).toBe(0)
      }),
    )
  })

  test('that is over lets the tasks that it started lock the segment', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, quick).segment(7)
    const gate = withResolvers()
    let later: Promise<number> | undefined
    await segment.transaction(() => {
      later = gate.promise.then(() => segment.count())
    })
    gate.resolve(undefined)
    expect(await later).toBe(0)
  })

  test('waits no longer than its timeout, and says what it waited for', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, quick).segment(7)
    await using holder = new Child('hold-lock', [directory.path, 7])
    await holder.line()
    const error = await caught(() => segment.transaction(() => 0, { timeout: 20 }))
    expect(error.code).toBe('ERR_STORE_LOCK_TIMEOUT')
    expect(error.message).toContain('cannot acquire lock on store segment 7')
    // Only Linux tells who holds a lock.
    const told = process.platform === 'linux' && { holder: { pid: holder.pid } }
    expect(error.cause).toMatchObject({ code: 'ERR_LOCK_TIMEOUT', ...told })
    const reason = new Error('enough')
    await expect(segment.lock({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    await holder.kill()
    expect(await segment.count(), 'a killed holder has released it').toBe(0)
  })
})

describe('reaping', () => {
  test('destroys the entries of dead processes, returns them, and keeps all others', async () => {
    using directory = temporaryDirectory()
    const store = new Store<{ n: number }>(directory.path, quick)
    const segment = await store.segment(7)
    await using dead = new Child('save-and-wait', [directory.path, 7, 3])
    await using alive = new Child('save-and-wait', [directory.path, 7, 2])
    const ofDead = [await dead.line(), await dead.line(), await dead.line()]
    const ofAlive = [await alive.line(), await alive.line()]
    const mine = await segment.save({ n: 9 })
    expect(await segment.reap(), 'nobody is dead').toEqual([])

    await dead.kill()
    const reaped = await segment.reap()
    expect(reaped.map(({ entry }) => String(entry?.name)).toSorted()).toEqual(ofDead.toSorted())
    expect(reaped.map((entry) => entry.error === null && entry.state.n)).toEqual([0, 1, 2])
    using locked = await segment.lock()
    const left = (await locked.entries()).map(({ name }) => name)
    expect(left.toSorted()).toEqual([...ofAlive, mine.name].toSorted())
  })

  const self = currentProcess()
  test.each([
    ['a pid that another process has now', { ...self, startTime: '1' }, 'dead'],
    [
      'another boot of this machine',
      { ...self, bootId: 'earlier' },
      self.machineId ? 'dead' : 'kept',
    ],
    ['another boot of an unknown machine', { ...self, bootId: 'other', machineId: null }, 'kept'],
    ['another pid namespace', { ...self, pidNamespace: 'pid:[1]' }, 'kept'],
    ['this very process', self, 'kept'],
  ])('tells the dead by more than a pid: %s', async (_, owner, verdict) => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, quick).segment(7)
    await segment.save({}, { process: owner })
    expect(await segment.reap()).toHaveLength(verdict === 'dead' ? 1 : 0)
    expect(await segment.count()).toBe(verdict === 'dead' ? 0 : 1)
  })

  test('keeps an entry that does not decode, and destroys one that the schema refuses', async () => {
    using directory = temporaryDirectory()
    const loose = await new Store(directory.path, quick).segment(7)
    const dead = { ...self, startTime: '1' }
    const damaged = await loose.save({}, { process: dead })
    writeFileSync(damaged.path, '')
    await loose.save({ n: 'one' }, { process: dead })
    const strict = await new Store(directory.path, { schema: numberSchema() }).segment(7)
    const reaped = await strict.reap()
    expect(reaped.map(({ error }) => error?.code)).toEqual(['ERR_STORE_INVALID_STATE'])
    expect(readdirSync(directory.file('7')).toSorted()).toEqual([damaged.name, 'lock'])
  })

  test('removes the unfinished files of a killed process', async () => {
    using directory = temporaryDirectory()
    const segment = await new Store(directory.path, quick).segment(7)
    writeFileSync(directory.file('7', `.${EntryId.create().text}.tmp`), 'half')
    expect(await segment.reap()).toEqual([])
    expect(readdirSync(directory.file('7'))).toEqual(['lock'])
  })

  test.each(['notes.tmp', '.notes', 'tmp', '.tmp.notes'])(
    'removes no file of another kind: %s',
    async (name) => {
      using directory = temporaryDirectory()
      const segment = await new Store(directory.path, quick).segment(7)
      writeFileSync(directory.file('7', name), 'precious')
      expect(await segment.reap()).toEqual([])
      expect(readFileSync(directory.file('7', name), 'utf8')).toBe('precious')
    },
  )

  test('by two at once returns each dead process once', async () => {
    using directory = temporaryDirectory()
    const dead = { ...self, startTime: '1' }
    const segments = [
      await new Store(directory.path, quick).segment(7),
      await new Store(directory.path, quick).segment(7),
    ]
    await segments[0]!.transaction(async (locked) => {
      for (let n = 0; n < 200; n++) await locked.save({ n }, { process: dead })
    })
    const reaped = await Promise.all(segments.map((segment) => segment.reap()))
    expect(reaped.flat()).toHaveLength(200)
  })
})

test('a segment whose directory is removed and made again keeps working', async () => {
  using directory = temporaryDirectory()
  const base = directory.file('deep', 'base')
  const store = new Store(base, quick)
  const segment = await store.segment(7)
  await segment.save({})
  rmSync(base, { recursive: true })
  expect(await segment.count()).toBe(0)
  await segment.save({})
  expect(await store.segment(7)).toBe(segment)
  expect(await segment.count()).toBe(1)
  rmSync(base, { recursive: true })
  mkdirSync(base)
  await segment.save({})
  expect((await store.segments()).map(({ identity }) => identity)).toEqual([7])
  expect(statSync(directory.file('deep', 'base', '7')).mode & 0o777).toBe(0o700)
})

function withResolvers(): { promise: Promise<unknown>; resolve: (value: unknown) => void } {
  let resolve: (value: unknown) => void = () => undefined
  const promise = new Promise((done) => {
    resolve = done
  })
  return { promise, resolve }
}
