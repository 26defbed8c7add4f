import { readFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { DataDirLock, acquire, inspect, lockedFile, withLock } from '../src/index.ts'

it("does what the README's example says", async () => {
  using directory = temporaryDirectory()
  const previous = process.cwd()
  process.chdir(directory.path)
  try {
    // #region example
    // Wait for a lock, at most five seconds, and have it released at the end of the block.
    {
      using lock = await acquire('state.lock', {
        timeout: 5_000,
        onWait: ({ holders }) => console.error('waiting for', holders),
      })
      lock.downgrade() // Readers may come in now.
    }

    // The same around a function.
    await withLock('state.lock', { mode: 'shared' }, async () => {
      console.error(await inspect('state.lock'))
    })

    // A file that several processes change: old or new content, never half of it.
    await lockedFile.transform('counter', (old) => String(Number(old ?? 0) + 1))

    // One writer for one data directory, with a pidfile.
    using data = await DataDirLock.acquire('data')
    console.error(data.dataDir, 'is ours')
    // #endregion
    expect(await lockedFile.read('counter')).toBe('1')
    expect(data.held).toBe(true)
  } finally {
    process.chdir(previous)
  }
})

it('has the example in the README as it is tested', () => {
  const source = readFileSync(new URL(import.meta.url), 'utf8')
  const [, region = ''] = /\/\/ #region example\n(.*?)\n *\/\/ #endregion/s.exec(source) ?? []
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  expect(readme).toContain(region.replaceAll(/^ {4}/gm, ''))
})

it('has every error code in the README', () => {
  const errors = readFileSync(new URL('../src/errors.ts', import.meta.url), 'utf8')
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const codes = new Set(errors.match(/ERR_LOCK_\w+/g))
  expect([...codes].filter((code) => !readme.includes(`| \`${code}\` |`))).toEqual([])
})
