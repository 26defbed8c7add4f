import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory, times, until } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { Child } from './support/child.ts'
import { whyNoFsExt } from './support/fs-ext.ts'

const prebuilt = fileURLToPath(new URL('../prebuilt', import.meta.url))
const platform = `${process.platform}-${process.arch}`
const noNative = readdirSync(prebuilt).includes(`${platform}.node`)
  ? null
  : `there is no prebuilt binding for ${platform}`
const noFsExt = whyNoFsExt()
const bindings = [
  ['native', noNative],
  ['fs-ext', noFsExt],
] as const

describe('HOWDAH_FLOCK', () => {
  it.for(bindings)('chooses %s', async ([name, missing], { skip }) => {
    skip(missing !== null, missing ?? '')
    expect(await flockBinding(name)).toMatchObject({ name })
  })

  it('if it is unset, our own binding is preferred', async ({ skip }) => {
    skip(noNative !== null, noNative ?? '')
    expect(await flockBinding('')).toEqual({
      name: 'native',
      file: `${prebuilt}/${platform}.node`,
    })
  })

  it('with an unknown value is an error that names the value', async () => {
    const error = await flockBinding('flock')
    expect(error).toMatchObject({
      code: 'ERR_LOCK_BINDING',
      remedy: 'set it to native or fs-ext, or unset it',
    })
    expect(error['message']).toContain('HOWDAH_FLOCK is "flock"')
  })
})

/** What `flockBinding()` gives or throws in a process. */
async function flockBinding(choice: string): Promise<Record<string, string>> {
  const source = `
    process.env.HOWDAH_FLOCK = process.argv[1]
    let result
    try { result = lock.flockBinding() } catch ({ code, message, remedy }) { result = { code, message, remedy } }
    console.log(JSON.stringify(result))`
  await using child = Child.script(source, choice)
  return JSON.parse(await child.line())
}

describe('fs-ext in a worker thread', () => {
  it('is loaded from a file without a name, which nobody has to remove', async ({ skip }) => {
    skip(noFsExt !== null, noFsExt ?? '')
    skip(process.platform !== 'linux', 'only Linux has such files')
    using directory = temporaryDirectory()
    const source = `
      import { once } from 'node:events'
      import { Worker } from 'node:worker_threads'
      process.env.HOWDAH_FLOCK = 'fs-ext'
      process.env.TMPDIR = process.argv[1]
      const code = "import { parentPort } from 'node:worker_threads'; import { flockBinding } from '@howdah/lock';" +
        "parentPort.postMessage(flockBinding().name)"
      const workers = [1, 2, 3].map(() => new Worker(code, { eval: true }))
      console.log((await Promise.all(workers.map((worker) => once(worker, 'message')))).join())`
    const changed = (): bigint => statSync(directory.path, { bigint: true }).mtimeNs
    const before = changed()
    await using child = Child.script(source, directory.path)
    expect(await child.line()).toBe('fs-ext,fs-ext,fs-ext')
    expect(changed()).toBe(before)
    await child.success()
  })
})

describe('processes whose threads load the binding and lock at random, and which are terminated at random, as their threads are,', () => {
  it.for(bindings)(
    'by %s neither crash nor lose exclusion',
    { timeout: times(60_000, 3_600_000) },
    async ([name, missing], { skip }) => {
      skip(missing !== null, missing ?? '')
      skip(process.platform !== 'linux', 'only Linux tells who holds a lock')
      using directory = temporaryDirectory()
      const mark = directory.file('mark')
      const lock = directory.file('lock')
      writeFileSync(mark, 'x'.repeat(16))
      let left = times(8, 1_000)
      let held = 0
      const lane = async (): Promise<void> => {
        while (left-- > 0) {
          const threads = 1 + (left % 8)
          await using child = Child.node('workers', name, lock, mark, threads)
          // Every fourth process is killed, at any time after it has begun to lock.
          if (left % 4 === 3) {
            const hasEnded = (): boolean => child.process.exitCode !== null
            await until('it locks', () => hasEnded() || child.isAt(lock, `${lock}.gate`), 40_000)
            await sleep(Math.random() * 100)
            // Its threads may have been terminated before they were seen. Another one is killed then.
            if (hasEnded()) {
              await child.success()
              left += 4
            }
            continue
          }
          const found = JSON.parse(await child.line())
          await child.success()
          expect(found.lost).toBe(0)
          held += found.held
        }
      }
      await Promise.all([lane(), lane()])
      expect(held).toBeGreaterThan(0)
    },
  )
})
