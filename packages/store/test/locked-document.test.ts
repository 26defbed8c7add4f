import { seededRandom, temporaryDirectory, times } from '@howdah/fixtures'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { LockedDocument } from '../src/index.ts'
import { caught } from './support/caught.ts'
import { Child } from './support/child.ts'
import { numberSchema } from './support/shape.ts'

function counter(path: string): LockedDocument<{ n: number }> {
  return new LockedDocument(path, {
    empty: () => ({ n: 0 }),
    schema: numberSchema(),
    durable: false,
  })
}

describe('a document', () => {
  test('that is missing is an empty one, and reading makes nothing', async () => {
    using directory = temporaryDirectory()
    expect(await counter(directory.file('deep', 'counter.json')).read()).toEqual({ n: 0 })
    expect(readdirSync(directory.path)).toEqual([])
  })

  test('is the result of the last update; its file has mode 0600, its directory 0700', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('deep', 'counter.json')
    for (const durable of [true, false]) {
      const document = new LockedDocument(path, { empty: () => ({ n: 0 }), durable })
      expect(await document.update((value) => ++value.n)).toBe(durable ? 1 : 2)
    }
    expect(await counter(path).read()).toEqual({ n: 2 })
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(directory.file('deep')).mode & 0o777).toBe(0o700)
    expect(readdirSync(directory.file('deep')).toSorted()).toEqual([
      'counter.json',
      'counter.json.good',
      'counter.json.lock',
    ])
  })

  test('is not changed by changes to a copy that was read', async () => {
    using directory = temporaryDirectory()
    const document = counter(directory.file('counter.json'))
    await document.update((value) => ++value.n)
    ;(await document.read()).n = 17
    expect(await document.read()).toEqual({ n: 1 })
  })

  test('is not written if nothing was changed, nor if the change failed', async () => {
    using directory = temporaryDirectory()
    const document = counter(directory.file('counter.json'))
    await document.update((value) => ++value.n)
    const { ino } = statSync(document.path)
    await document.update(() => undefined)
    await expect(
      document.update((value) => {
        value.n = 17
        throw new Error('mine')
      }),
    ).rejects.toThrow('mine')
    const refused = await caught(() => document.update((value) => (value.n = Number.NaN)))
    expect(refused.code).toBe('ERR_STORE_INVALID_STATE')
    expect(statSync(document.path).ino).toBe(ino)
    expect(await document.read()).toEqual({ n: 1 })
  })

  test('is not checked before it is published if that is not asked for, but when it is read', async () => {
    using directory = temporaryDirectory()
    const document = new LockedDocument(directory.file('counter.json'), {
      empty: () => ({ n: 0 }),
      schema: numberSchema(),
      checkChanges: false,
      durable: false,
    })
    await document.update((value) => ++value.n)
    await document.update((value) => (value.n = Number.NaN))
    for (const action of [() => document.read(), () => document.update(() => 0)])
      expect((await caught(action)).code).toBe('ERR_STORE_INVALID_STATE')
    expect(readFileSync(document.path, 'utf8')).toBe('{"n":null}\n')
  })

  test('refuses an update within an update instead of waiting for itself', async () => {
    using directory = temporaryDirectory()
    const document = counter(directory.file('counter.json'))
    const error = await caught(() => document.update(() => document.update(() => 0)))
    expect(error.code).toBe('ERR_STORE_LOCK_ORDER')
  })

  test('counts right with concurrent updates', async () => {
    using directory = temporaryDirectory()
    const document = counter(directory.file('counter.json'))
    await Promise.all(Array.from({ length: 50 }, () => document.update((value) => ++value.n)))
    expect(await document.read()).toEqual({ n: 50 })
  })
})

describe('the file of a document', () => {
  test.each(['counter.json.tmp', '.counter.json.tmp', 'counter.json.good.tmp'])(
    'is written beside a file of the user’s own, which stays: %s',
    async (name) => {
      using directory = temporaryDirectory()
      writeFileSync(directory.file(name), 'precious')
      await counter(directory.file('counter.json')).update((value) => ++value.n)
      expect(readFileSync(directory.file(name), 'utf8')).toBe('precious')
    },
  )

  test('keeps its mode, and as root its owner', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('counter.json')
    const document = counter(path)
    await document.update((value) => ++value.n)
    chmodSync(path, 0o640)
    const before = statSync(path)
    if (process.geteuid?.() === 0) chownSync(path, 12_345, 23_456)
    const { uid, gid } = statSync(path)
    await document.update((value) => ++value.n)
    const after = statSync(path)
    expect(after.ino).not.toBe(before.ino)
    expect([after.mode & 0o777, after.uid, after.gid]).toEqual([0o640, uid, gid])
  })

  test('keeps extended attributes (skipped without python3, GNU cp or such a file system)', async (skipping) => {
    using directory = temporaryDirectory()
    const path = directory.file('counter.json')
    const document = counter(path)
    await document.update((value) => ++value.n)
    const attribute = (what: string) =>
      spawnSync('python3', ['-c', `import os,sys; p = sys.argv[1]; ${what}`, path], {
        encoding: 'utf8',
      })
    const set = attribute('os.setxattr(p, "user.colour", b"blue")')
    const { stdout } = spawnSync('cp', ['--version'], { encoding: 'utf8' })
    const isLacking = process.platform !== 'linux' || set.status !== 0 || !stdout.includes('GNU')
    skipping.skip(
      isLacking,
      'needs Linux, GNU cp, python3 and a file system with extended attributes',
    )
    await document.update((value) => ++value.n)
    await counter(path).update((value) => ++value.n)
    expect(attribute('print(os.getxattr(p, "user.colour").decode())').stdout).toBe('blue\n')
  })

  test('may not be a symbolic link, which is reported before anything is changed', async () => {
    using directory = temporaryDirectory()
    const target = directory.file('target.json')
    writeFileSync(target, '{"n":1}')
    symlinkSync('target.json', directory.file('counter.json'))
    const document = counter(directory.file('counter.json'))
    const change = (value: { n: number }) => ++value.n
    const attempts = [
      () => document.read(),
      () => document.update(change),
      () => document.recover(),
    ]
    for (const attempt of attempts) {
      const error = await caught(attempt)
      expect(error).toMatchObject({ code: 'ERR_STORE_IO' })
      expect(String(error)).toMatch(/symbolic link; give the path that it leads to/)
    }
    expect(readFileSync(target, 'utf8')).toBe('{"n":1}')
    expect(lstatSync(directory.file('counter.json')).isSymbolicLink()).toBe(true)
  })

  test('may not be a mount point (skipped if this process may not mount)', async (skipping) => {
    using directory = temporaryDirectory()
    const path = directory.file('counter.json')
    writeFileSync(path, '{"n":1}')
    const { status } = spawnSync('mount', ['--bind', path, path])
    skipping.skip(status !== 0, 'this process may not mount')
    try {
      const error = await caught(() => counter(path).update((value) => ++value.n))
      expect(String(error)).toMatch(/mount point.*mount its directory instead \(EBUSY\)/)
      expect(readFileSync(path, 'utf8')).toBe('{"n":1}')
    } finally {
      execFileSync('umount', [path])
    }
  })

  test('may not have a name that leaves no room for the lock beside it', async () => {
    using directory = temporaryDirectory()
    const document = counter(directory.file('x'.repeat(255)))
    const error = await caught(() => document.update((value) => ++value.n))
    expect(String(error)).toMatch(/too long; shorten it \(ENAMETOOLONG\)/)
  })
})

describe('a damaged document', () => {
  const whole = '{"n":3}\n'
  test.each([
    ['empty', '', 'its file is empty'],
    ['blank', ' \n', 'its file is empty'],
    ['truncated', whole.slice(0, 5), 'its file is not JSON'],
    ['garbage', '\0\0\0\0', 'its file is not JSON'],
    ['null', 'null', 'no object'],
    ['a number', '12', 'no object'],
    ['another object', '{"m":3}', 'n: is not a number'],
    ['another array', '[]', 'n: is not a number'],
  ])('that is %s is an error, never an empty one, and is recovered', async (_, content, why) => {
    using directory = temporaryDirectory()
    const document = counter(directory.file('counter.json'))
    for (let n = 0; n < 3; n++) await document.update((value) => ++value.n)
    // The file is damaged in place, as by a shell's redirection.
    writeFileSync(document.path, content)

    for (const action of [() => document.read(), () => document.update(() => 0)]) {
      const error = await caught(action)
      expect(error.code).toMatch(/^ERR_STORE_(DOCUMENT_DAMAGED|INVALID_STATE)$/)
      expect(error.message).toContain(why)
      expect(error.message).toContain(document.path)
    }
    expect(readFileSync(document.path, 'utf8'), 'it was left alone').toBe(content)

    const recovery = await document.recover()
    expect(recovery).toMatchObject({ outcome: 'recovered', damaged: `${document.path}.damaged` })
    expect(recovery.error?.message).toContain(why)
    expect(await document.read(), 'nothing was lost').toEqual({ n: 3 })
    expect(readFileSync(`${document.path}.damaged`, 'utf8')).toBe(content)
    expect(await document.update((value) => ++value.n)).toBe(4)
    expect(await document.recover()).toEqual({ outcome: 'intact', damaged: null, error: null })
  })

  test.each(['missing', 'damaged'])(
    'whose good version is %s is lost, and says so',
    async (state) => {
      using directory = temporaryDirectory()
      const document = counter(directory.file('counter.json'))
      await document.update((value) => ++value.n)
      writeFileSync(document.path, '')
      if (state === 'missing') rmSync(`${document.path}.good`)
      else writeFileSync(`${document.path}.good`, '{')
      const error = await caught(() => document.recover())
      expect(error.code).toBe('ERR_STORE_DOCUMENT_LOST')
      expect(error.message).toContain(`remove ${document.path} to begin with an empty one`)
      expect(existsSync(document.path)).toBe(true)
      rmSync(document.path)
      expect(await document.read()).toEqual({ n: 0 })
    },
  )
})

test(
  'a kill at any instant leaves a document whole, and no published change is lost',
  { tags: 'property', timeout: 600_000 },
  async () => {
    using directory = temporaryDirectory()
    const document = new LockedDocument(directory.file('counter.json'), {
      empty: () => ({ n: 0, filling: '' }),
      durable: false,
    })
    const random = seededRandom(24)
    let published = 0
    const kills = times(12, 72)
    for (let kill = 0; kill < kills; kill++) {
      await using child = new Child('update-document', [document.path])
      // The process is at work; it is killed at a random instant.
      published = Math.max(published, Number(await child.line()))
      await sleep(random.below(40))
      const said = child.lines()
      await child.kill()
      published = Math.max(published, ...(await said).map(Number))
      expect((await document.read()).n).toBeGreaterThanOrEqual(published)
      expect(JSON.parse(readFileSync(`${document.path}.good`, 'utf8'))).toHaveProperty('n')
    }
    expect(published).toBeGreaterThanOrEqual(kills)
  },
)
