import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { isOpenToOthers, linuxOnly, temporaryDirectory, until } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import {
  acquire,
  acquireSync,
  inspect,
  tryAcquire,
  withLock,
  type AcquireOptions,
  type Contention,
} from '../src/index.ts'
import { Child } from './support/child.ts'

/** The error that all three ways to acquire fail with. */
async function refused(path: string, options: AcquireOptions = {}): Promise<unknown> {
  const error: unknown = await acquire(path, options).catch((reason: unknown) => reason)
  await expect(tryAcquire(path, options)).rejects.toEqual(error)
  expect(() => acquireSync(path, options)).toThrowError(String(error).replace(/^\w+: /, ''))
  return error
}

/** Whether the system tells who holds a lock. */
const tellsHolders = process.platform === 'linux'

describe('acquire', () => {
  it('makes the file and leaves its content alone', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    ;(await acquire(path)).release()
    expect(existsSync(path)).toBe(true)
    writeFileSync(path, 'content')
    ;(await acquire(path)).release()
    expect(await readFile(path, 'utf8')).toBe('content')
    expect(readdirSync(directory.path)).toEqual(['lock'])
  })

  it.each([0o600, 0o640])(
    'makes the file with the permissions %o, and leaves those of an existing one',
    async (permissions) => {
      using directory = temporaryDirectory()
      const path = directory.file('lock')
      const mode = (): number => statSync(path).mode & 0o777
      ;(await acquire(path, { permissions })).release()
      expect(mode()).toBe(permissions)
      acquireSync(path, { permissions: 0o666 }).release()
      expect(mode()).toBe(permissions)
    },
  )

  it('waits for another process to release', async () => {
    using directory = temporaryDirectory()
    await using holder = Child.node('hold', directory.file('lock'))
    expect(await holder.line()).toBe('held')
    let contention: Contention | undefined
    const waiting = acquire(directory.file('lock'), { onWait: (found) => (contention = found) })
    expect(contention).toMatchObject({
      path: directory.file('lock'),
      mode: 'exclusive',
      holders: tellsHolders ? [{ pid: holder.pid, mode: 'exclusive' }] : [],
    })
    holder.finish()
    expect((await waiting).held).toBe(true)
    ;(await waiting).release()
  })

  it('waits for a holder that is killed', async () => {
    using directory = temporaryDirectory()
    await using holder = Child.node('hold', directory.file('lock'))
    await holder.line()
    const waiting = acquire(directory.file('lock'))
    holder.process.kill('SIGKILL')
    using lock = await waiting
    expect(lock.held).toBe(true)
  })

  it('calls onWait once, and only when it is blocked', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    let calls = 0
    const options = { onWait: () => calls++ }
    const first = await acquire(path, options)
    expect(calls).toBe(0)
    const second = acquire(path, options)
    const third = acquire(path, options)
    first.release()
    ;(await second).release()
    ;(await third).release()
    expect(calls).toBe(2)
  })

  it('rejects with the error that onWait throws, and stops waiting', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using held = await acquire(path)
    const waiting = acquire(path, {
      onWait: () => {
        throw new Error('no patience')
      },
    })
    await expect(waiting).rejects.toThrow('no patience')
    held.release()
    expect(await tryAcquire(path)).not.toBeNull()
  })

  it('serves the waiters of one process in their order', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const first = await acquire(path)
    const order: number[] = []
    const waiting = [1, 2, 3, 4].map(async (number) => {
      await withLock(path, {}, () => order.push(number))
    })
    first.release()
    await Promise.all(waiting)
    expect(order).toEqual([1, 2, 3, 4])
  })

  it('knows one file by different paths', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('real'))
    symlinkSync('real', directory.file('alias'))
    using lock = await acquire(directory.file('real', 'lock'))
    expect(await tryAcquire(directory.file('alias', 'lock'))).toBeNull()
    expect(await tryAcquire(`${directory.path}/real/../alias/./lock`)).toBeNull()
    expect(lock.path).toBe(directory.file('real', 'lock'))
  })

  it('lets readers in together and writers alone', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using one = await acquire(path, { mode: 'shared' })
    using two = await acquire(path, { mode: 'shared' })
    expect([one.mode, two.mode]).toEqual(['shared', 'shared'])
    expect(await tryAcquire(path)).toBeNull()
    one.release()
    two.release()
    using writer = await acquire(path)
    expect(writer.mode).toBe('exclusive')
    expect(await tryAcquire(path, { mode: 'shared' })).toBeNull()
  })

  it('notices that the file is replaced while it waits', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using held = await acquire(path)
    const waiting = acquire(path)
    renameSync(path, directory.file('elsewhere'))
    using lock = await waiting
    expect(lock.isCurrent()).toBe(true)
    expect(held.isCurrent()).toBe(false)
  })
})

describe('a directory', () => {
  it('is locked like a file, also through a symbolic link, and has no gate', async () => {
    using directory = temporaryDirectory()
    mkdirSync(directory.file('data'))
    symlinkSync('data', directory.file('link'))
    const held = await acquire(directory.file('link'))
    expect(await tryAcquire(directory.file('data'))).toBeNull()
    const waiting = acquire(directory.file('data'), { mode: 'shared' })
    held.release()
    using lock = await waiting
    expect(lock.path).toBe(directory.file('data'))
    expect(readdirSync(directory.path).toSorted()).toEqual(['data', 'link'])
    expect(readdirSync(directory.file('data'))).toEqual([])
  })
})

describe('fair: false', () => {
  it('leaves nothing beside the file', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const held = await acquire(path)
    const waiting = acquire(path, { fair: false })
    held.release()
    ;(await waiting).release()
    expect(readdirSync(directory.path)).toEqual(['lock'])
  })
})

describe('tryAcquire', () => {
  it('gives null while another process holds the lock, and the lock when it is gone', async () => {
    using directory = temporaryDirectory()
    await using holder = Child.node('hold', directory.file('lock'))
    await holder.line()
    expect(await tryAcquire(directory.file('lock'))).toBeNull()
    await holder[Symbol.asyncDispose]()
    using lock = await tryAcquire(directory.file('lock'))
    expect(lock?.held).toBe(true)
  })

  it('takes a free lock although others wait for it in another mode', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using reader = await acquire(path, { mode: 'shared' })
    const writer = acquire(path)
    using second = await tryAcquire(path, { mode: 'shared' })
    expect(second?.held).toBe(true)
    second?.release()
    reader.release()
    ;(await writer).release()
  })
})

describe('acquireSync', () => {
  it('waits for another process', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    await using holder = Child.node('hold', path)
    await holder.line()
    let waits = 0
    using lock = acquireSync(path, {
      timeout: 10_000,
      onWait: () => {
        waits++
        holder.process.kill('SIGKILL')
      },
    })
    expect(waits).toBe(1)
    expect(lock.held).toBe(true)
  })

  it('fails instead of waiting for itself for ever', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    using held = await acquire(path, { mode: 'shared' })
    expect(() => acquireSync(path)).toThrowError(
      expect.objectContaining({ code: 'ERR_LOCK_DEADLOCK' }),
    )
    acquireSync(path, { mode: 'shared' }).release()
    expect(held.held).toBe(true)
  })

  const waiters = linuxOnly('/proc/locks, which tells who waits')

  it('overtakes a waiter of its own thread, which could not go on', waiters, async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    await using holder = Child.node('hold', path)
    await holder.line()
    const waiting = acquire(path)
    await until('the waiter has the gate', async () => (await inspect(path)).waiters.length > 0)
    // The holder ends while this thread is blocked. Then the waiter of this thread is the next in line.
    acquireSync(path, {
      timeout: 10_000,
      onWait: () => holder.process.kill('SIGKILL'),
    }).release()
    using lock = await waiting
    expect(lock.held).toBe(true)
  })
})

describe('a timeout', () => {
  it.each([0, 30])(
    'of %i ms ends the wait with an error that names the holder',
    async (timeout) => {
      using directory = temporaryDirectory()
      const path = directory.file('lock')
      await using holder = Child.node('hold', path)
      await holder.line()
      const error = expect.objectContaining({
        code: 'ERR_LOCK_TIMEOUT',
        path,
        timeout,
        ...(tellsHolders && { holder: { pid: holder.pid, liveness: 'alive' } }),
      })
      await expect(acquire(path, { timeout })).rejects.toEqual(error)
      await expect(acquire(path, { timeout, fair: false })).rejects.toEqual(error)
      expect(() => acquireSync(path, { timeout })).toThrowError(error)
    },
  )

  it('also ends the wait of a waiter that is not the first in its process', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const held = await acquire(path)
    const first = acquire(path)
    const second = acquire(path, { timeout: 10 })
    const third = acquire(path)
    await expect(second).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' })
    held.release()
    ;(await first).release()
    // The waiter that left the line holds nobody up.
    ;(await third).release()
  })
})

describe('an abort', () => {
  it('rejects with the reason, before and during the wait', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    const reason = new Error('changed my mind')
    await expect(acquire(path, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(existsSync(path)).toBe(false)

    const held = await acquire(path)
    const controller = new AbortController()
    const first = acquire(path, { signal: controller.signal })
    const second = acquire(path, { signal: controller.signal })
    controller.abort(reason)
    expect(await Promise.allSettled([first, second])).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ])
    held.release()
    expect(await tryAcquire(path)).not.toBeNull()
  })
})

describe('withLock', () => {
  it('gives what the action gives, and releases also when it throws', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    expect(await withLock(path, {}, (lock) => lock.held)).toBe(true)
    const failure = new Error('the action failed')
    await expect(withLock(path, {}, () => Promise.reject(failure))).rejects.toBe(failure)
    expect(await tryAcquire(path)).not.toBeNull()
  })
})

describe('a refusal names the path, has a code and says what to do', () => {
  it('a missing directory', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('missing', 'lock')
    const error = await refused(path)
    expect(error).toMatchObject({ code: 'ERR_LOCK_NOT_FOUND', path, cause: { code: 'ENOENT' } })
    expect(String(error)).toBe(
      `LockError: cannot open the lock file ${path}: it or its parent directory does not exist; create that first (ENOENT)`,
    )
  })

  it('a missing file, with create: false', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    expect(await refused(path, { create: false })).toMatchObject({
      code: 'ERR_LOCK_NOT_FOUND',
      path,
    })
    expect(readdirSync(directory.path)).toEqual([])
  })

  it('a file as directory', async () => {
    using directory = temporaryDirectory()
    writeFileSync(directory.file('file'), '')
    expect(await refused(directory.file('file', 'lock'))).toMatchObject({
      code: 'ERR_LOCK_NOT_FOUND',
    })
  })

  it('a symbolic link, broken or not', async () => {
    using directory = temporaryDirectory()
    const path = directory.file('link')
    symlinkSync(directory.file('target'), path)
    expect(await refused(path)).toMatchObject({ code: 'ERR_LOCK_SYMLINK', path })
    expect(existsSync(directory.file('target'))).toBe(false)
    writeFileSync(directory.file('target'), '')
    expect(await refused(path)).toMatchObject({ code: 'ERR_LOCK_SYMLINK', path })
  })

  it.each([
    ['a timeout of -1', { timeout: -1 }],
    ['a timeout of NaN', { timeout: Number.NaN }],
    ['an unknown mode', JSON.parse('{ "mode": "both" }')],
  ])('%s', async (_, options: AcquireOptions) => {
    using directory = temporaryDirectory()
    const path = directory.file('lock')
    expect(await refused(path, options)).toMatchObject({ code: 'ERR_LOCK_OPTION', path })
    expect(readdirSync(directory.path)).toEqual([])
  })

  it.each(['', 'nul\0byte', JSON.parse('7')])('the path %j', async (path: string) => {
    expect(await refused(path)).toMatchObject({ code: 'ERR_LOCK_OPTION' })
  })

  it.runIf(process.getuid?.() === 0)('a user who may not', async ({ skip }) => {
    using directory = temporaryDirectory()
    const open = isOpenToOthers(pathToFileURL(directory.path))
    skip(!open, 'other users cannot reach the temporary directory')
    const path = directory.file('lock')
    // The native part is loaded as root, because other users may have no access to the checkout.
    const attempt = `
      lock.acquireSync(process.argv[2]).release()
      process.setgid(65534); process.setuid(65534)
      const outcome = await lock.tryAcquire(process.argv[1]).then((held) => held?.mode ?? 'taken', (error) => error.code)
      console.log(outcome)`
    const outcome = async (): Promise<string> => {
      await using stranger = Child.script(attempt, path, directory.file('first'))
      return await stranger.line()
    }
    expect(await outcome()).toBe('ERR_LOCK_PERMISSION')

    // A user who may read the file can lock it, and is excluded by others.
    writeFileSync(path, '')
    expect(await outcome()).toBe('exclusive')
    using held = await acquire(path)
    expect(await outcome()).toBe('taken')
    chmodSync(path, 0o600)
    expect(await outcome()).toBe('ERR_LOCK_PERMISSION')
    expect(held.held).toBe(true)
  })

  it('too many open files, after which it works again', async () => {
    using directory = temporaryDirectory()
    const source = `
      import { openSync, closeSync } from 'node:fs'
      const open = []
      try { for (;;) open.push(openSync('/dev/null')) } catch {}
      console.log(await lock.acquire(process.argv[1]).catch((error) => error.code))
      open.forEach((fd) => closeSync(fd))
      console.log((await lock.acquire(process.argv[1])).mode)`
    await using child = Child.command('sh', [
      '-c',
      'ulimit -n 256; exec "$@"',
      'sh',
      process.execPath,
      '--input-type=module',
      '-e',
      `import * as lock from '@howdah/lock'; lock.tryAcquire(process.argv[1] + 2); ${source}`,
      directory.file('lock'),
    ])
    expect(await child.line()).toBe('ERR_LOCK_TOO_MANY_FILES')
    expect(await child.line()).toBe('exclusive')
  })
})
