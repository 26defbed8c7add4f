import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Child, temporaryDirectory } from '@howdah/fixtures'
import { acquire } from '@howdah/lock'
import { expect, test } from 'vitest'
import { StagingDirectory } from '../src/install/staging-directory.ts'

const script = new URL('stage-in-child.mjs', import.meta.url)

test('the rest of a killed process is removed, and the work of a living one stays', async () => {
  using home = temporaryDirectory()
  const path = home.file('.staging-of-another')
  await using child = new Child(script, [path])
  await child.line()
  {
    await using own = await StagingDirectory.create(home.path)
    expect(readdirSync(home.path)).toHaveLength(2)
    expect(readdirSync(path)).toContain('content')
    await child.kill()
    await using second = await StagingDirectory.create(home.path)
    expect(readdirSync(home.path).toSorted()).toEqual(
      [own, second].map((one) => basename(one.path)).toSorted(),
    )
  }
  expect(readdirSync(home.path)).toEqual([])
})

test('a directory that was left before it was locked is removed', async () => {
  using home = temporaryDirectory()
  mkdirSync(home.file('.staging-unlocked'))
  await using own = await StagingDirectory.create(home.path)
  expect(readdirSync(home.path)).toEqual([basename(own.path)])
})

test.each(['.staging', 'staging-1', '.staged-1'])(
  'a directory named %s is left: it is none of ours',
  async (name) => {
    using home = temporaryDirectory()
    mkdirSync(home.file(name))
    await using own = await StagingDirectory.create(home.path)
    expect(readdirSync(home.path).toSorted()).toEqual([name, basename(own.path)].toSorted())
  },
)

test('one that is removed before its maker has locked it is made anew', async () => {
  using home = temporaryDirectory()
  const makers = Array.from({ length: 12 }, () => StagingDirectory.create(home.path))
  const made = await Promise.all(makers)
  try {
    expect(readdirSync(home.path).toSorted()).toEqual(
      made.map(({ path }) => basename(path)).toSorted(),
    )
    // Each holds the lock in its own.
    for (const { path } of made) {
      await expect(acquire(join(path, '.lock'), { timeout: 0 })).rejects.toMatchObject({
        code: 'ERR_LOCK_TIMEOUT',
      })
    }
  } finally {
    for (const one of made) await one[Symbol.asyncDispose]()
  }
})

test('it is closed to other users, and removed on disposal', async () => {
  using home = temporaryDirectory()
  let path = ''
  {
    await using own = await StagingDirectory.create(home.path)
    path = own.path
    writeFileSync(own.file('content'), '')
    expect(statSync(path).mode & 0o777).toBe(0o700)
  }
  expect(existsSync(path)).toBe(false)
})
