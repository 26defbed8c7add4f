// @vitest-environment-options { "alone": "proper-lockfile/endings" }
import * as fs from 'node:fs'
import { until } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { acquire } from '../../src/index.ts'
import * as lockfile from '../../src/proper-lockfile/index.ts'
import { code, directory, file, lockFile } from '../support/fresh-file.ts'
import { Child } from '../support/child.ts'

const names = (): string[] => fs.readdirSync(directory.path)

/** Something that will happen once. */
function event<Value>(): { emitted: Promise<Value>; emit: (value: Value) => void } {
  let emit: ((value: Value) => void) | undefined
  const emitted = new Promise<Value>((resolve) => {
    emit = resolve
  })
  return { emitted, emit: (value) => emit?.(value) }
}

/** A process that locks the file, says so, and goes on as told. */
function holder(goOn: string): Child {
  return Child.script(
    `import lockfile from '@howdah/lock/proper-lockfile'
    const file = process.argv[1]
    const release = lockfile.lockSync(file)
    console.log('held')
    ${goOn}`,
    file,
  )
}

const forEver = 'setInterval(() => release, 1_000)'

describe('a process that ends with a lock', () => {
  it.each([
    ['because it has nothing more to do', '', 0],
    ['by process.exit()', 'process.exit(3)', 3],
    ['by an uncaught exception', 'throw new Error("uncaught")', 1],
    ['by an unhandled rejection', 'void Promise.reject(new Error("unhandled"))', 1],
  ])('%s removes its lock file', async (_, goOn, status) => {
    await using child = holder(goOn)
    expect(await child.ended).toEqual({ code: status, signal: null })
    expect(names()).toEqual(['file'])
  })

  it.each(['SIGKILL', 'SIGTERM'] as const)('by %s leaves it free', async (signal) => {
    await using child = holder(forEver)
    await child.line()
    expect(await lockfile.check(file)).toBe(true)
    child.process.kill(signal)
    await child.ended
    expect(names()).toEqual(['file', 'file.lock'])
    expect(await lockfile.check(file)).toBe(false)
    await (
      await lockfile.lock(file)
    )()
    expect(names()).toEqual(['file'])
  })

  it.each([
    ['before its lock file appears', 'linkSync', ['file']],
    ['when its lock file has appeared', 'unlinkSync', ['file', 'file.lock']],
  ])('by SIGKILL %s leaves a draft, which is used and removed', async (_, call, left) => {
    await using child = Child.script(
      `import fs from 'node:fs'
      import { syncBuiltinESMExports } from 'node:module'
      fs.${call} = () => process.kill(process.pid, 'SIGKILL')
      syncBuiltinESMExports()
      const { lockSync } = await import('@howdah/lock/proper-lockfile')
      lockSync(process.argv[1])`,
      file,
    )
    expect(await child.ended).toEqual({ code: null, signal: 'SIGKILL' })
    expect(names()).toEqual([expect.stringMatching(/^\.file\.lock\..*\.draft$/), ...left])
    expect(await lockfile.check(file)).toBe(false)
    for (let round = 0; round < 2; round++) {
      const release = await lockfile.lock(file)
      expect(names()).toContain('file.lock')
      await release()
    }
    expect(names()).toEqual(['file'])
  })

  it('by SIGKILL wakes a waiter', async () => {
    await using child = holder(forEver)
    await child.line()
    const waiting = lockfile.lock(file, { retries: { retries: 1, minTimeout: 1e9 } })
    child.process.kill('SIGKILL')
    const release = await waiting
    expect(await lockfile.check(file)).toBe(true)
    await release()
  })

  it('while it waits for one ends at once', async () => {
    const release = await lockfile.lock(file)
    await using child = Child.script(
      `import lockfile from '@howdah/lock/proper-lockfile'
      void lockfile.lock(process.argv[1], { retries: { retries: 1, minTimeout: 1e9 } })
      setTimeout(() => process.exit(5), 50)`,
      file,
    )
    expect(await child.ended).toEqual({ code: 5, signal: null })
    await release()
  })
})

describe('a file system without hard links', () => {
  it('is named as the reason, and nothing is left', async () => {
    await using child = Child.script(
      `import fs from 'node:fs'
      import { syncBuiltinESMExports } from 'node:module'
      fs.linkSync = () => { throw Object.assign(new Error('not permitted'), { code: 'EPERM' }) }
      syncBuiltinESMExports()
      const lockfile = await import('@howdah/lock/proper-lockfile')
      await lockfile.lock(process.argv[1]).catch(({ code, message }) => console.log(code, message))`,
      file,
    )
    expect(await child.line()).toMatch(/^EPERM .*file\.lock: .* no hard links/)
    await child.success()
    expect(names()).toEqual(['file'])
  })
})

describe('a process that is stopped', () => {
  it('keeps its lock, however old it looks, and is not compromised when it goes on', async () => {
    await using child = holder(`
      const look = lockfile.checkSync
      process.stdin.once('data', () => { console.log(look(file)); release(); process.exit() })`)
    await child.line()
    child.process.kill('SIGSTOP')
    fs.utimesSync(lockFile, new Date(0), new Date(0))
    await expect(lockfile.lock(file, { stale: 2_000 })).rejects.toEqual(code('ELOCKED'))
    expect(await lockfile.check(file, { stale: 2_000 })).toBe(true)
    child.process.kill('SIGCONT')
    child.tell('go on')
    expect(await child.line()).toBe('true')
    await child.success()
  })
})

describe('a worker thread', () => {
  it('has locks of its own, which end with it', async () => {
    await using child = Child.node('lockfile-worker', file)
    expect(await child.line()).toBe('ELOCKED ENOTACQUIRED')
    expect(await child.line()).toBe('free left')
    expect(await child.line()).toBe('free removed')
    await child.success()
  })
})

describe('a lock file that somebody removes', () => {
  const compromised = async (tamper: () => void): Promise<Error> => {
    const { emitted, emit } = event<Error>()
    const release = await lockfile.lock(file, { update: 1, onCompromised: emit })
    tamper()
    const error = await emitted
    await expect(release()).rejects.toEqual(code('ERELEASED'))
    await expect(lockfile.unlock(file)).rejects.toEqual(code('ENOTACQUIRED'))
    return error
  }

  it('is reported to the holder, which has lost its lock', async () => {
    const error = await compromised(() => fs.rmSync(lockFile))
    expect(error).toEqual(code('ECOMPROMISED'))
    expect(error.message).toMatch(/ENOENT: .*file\.lock/)
    await (
      await lockfile.lock(file)
    )()
  })

  it('and replaces is reported, too, and the new file is left alone', async () => {
    const error = await compromised(() => {
      fs.rmSync(lockFile)
      fs.mkdirSync(lockFile)
    })
    expect(error).toEqual(code('ECOMPROMISED'))
    expect(fs.statSync(lockFile).isDirectory()).toBe(true)
  })

  it('ends a process that does not listen', async () => {
    await using child = Child.script(
      `import { rmSync } from 'node:fs'
      import lockfile from '@howdah/lock/proper-lockfile'
      await lockfile.lock(process.argv[1], { update: 1 })
      rmSync(process.argv[1] + '.lock')
      setInterval(() => {}, 1_000)`,
      file,
    )
    expect(await child.ended).toEqual({ code: 1, signal: null })
    expect(child.errors).toContain('ECOMPROMISED')
  })
})

describe('processes that lock, count and are killed', () => {
  it('lose no count', async () => {
    const tallies = [1, 2, 3, 4].map((number) => `${file}.tally${number}`)
    const counts = (tally: string) => (fs.existsSync(tally) ? fs.statSync(tally).size : 0)
    let next = 0
    await using children = Child.several(tallies.length, () =>
      Child.script(
        `import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
        import lockfile from '@howdah/lock/proper-lockfile'
        const [, file, tally] = process.argv
        for (;;) {
          const release = await lockfile.lock(file, { retries: { forever: true } })
          const count = Number(readFileSync(file, 'utf8')) + 1
          await new Promise(setImmediate)
          // In place, by one call: a kill leaves the old or the new count.
          writeFileSync(file, String(count).padStart(8), { flag: 'r+' })
          appendFileSync(tally, '.')
          await release()
        }`,
        file,
        tallies[next++]!,
      ),
    )
    const goesOn = async (tally: string, by: number) => {
      const before = counts(tally)
      await until('it counts', () => counts(tally) >= before + by, 60_000)
    }
    for (const [index, child] of children.entries()) {
      const tally = tallies[index]!
      await goesOn(tally, 40)
      // The process is killed while it holds the lock.
      for (await child.stop(); !child.isAt(lockFile); await child.stop()) {
        child.process.kill('SIGCONT')
        await goesOn(tally, 1)
      }
      await child[Symbol.asyncDispose]()
    }
    const counted = tallies.map(counts).reduce((sum, one) => sum + one)
    for (const tally of tallies) fs.rmSync(tally)
    const count = Number(fs.readFileSync(file, 'utf8'))
    // A process may have been killed between its count and its tally.
    expect(count).toBeGreaterThanOrEqual(counted)
    expect(count).toBeLessThanOrEqual(counted + children.length)
    // The first use removes a left lock file, the second use removes a left draft.
    for (let round = 0; round < 2; round++) {
      const release = await lockfile.lock(file)
      await release()
    }
    expect(names()).toEqual(['file'])
  })

  it('are excluded by the lock file, as is any program that locks it by flock(2)', async () => {
    const release = await lockfile.lock(file)
    await expect(acquire(lockFile, { timeout: 0 })).rejects.toEqual(code('ERR_LOCK_TIMEOUT'))
    await release()
  })
})
