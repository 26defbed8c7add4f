// One way to lock a file for each package that is compared: `lock(path)` gives how to unlock.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname } from 'node:path'
import { promisify } from 'node:util'
import { acquire } from '@howdah/lock'
import { lock as ownLock } from '@howdah/lock/proper-lockfile'
import { LockManager } from '@howdah/lock/web-locks'
import extensions from 'fs-native-extensions'
import fsExt from 'fs-ext'
import properLockfile from 'proper-lockfile'
import { other } from './others.mjs'

/** fs-ext, or what is made after it. */
const flockOf = (module) => {
  const flock = promisify(module.flock)
  return async (path) => {
    const fd = openSync(path, 'a')
    await flock(fd, 'ex')
    return () => closeSync(fd)
  }
}

const extra = other('fs-ext-extra-prebuilt')

/** proper-lockfile, told to be as quick as it can be told: it polls every few milliseconds. */
const retries = { forever: true, minTimeout: 1, maxTimeout: 5 }

/** Takes a web lock, and gives how to release it. */
export const webLocker = (locks, name) =>
  new Promise((resolve, reject) => {
    const request = locks.request(name, () => {
      const { promise, release } = releasable()
      resolve(async () => {
        release()
        await request
      })
      return promise
    })
    request.catch(reject)
  })

function releasable() {
  let release
  const promise = new Promise((resolve) => {
    release = resolve
  })
  return { promise, release }
}

/** One manager for each directory, as a program would have it. */
const managers = new Map()
const managerOf = (directory) => {
  if (!managers.has(directory)) managers.set(directory, new LockManager(directory))
  return managers.get(directory)
}

/** Now, in ns by the clock that all processes share. */
export const instant = () => Number(process.hrtime.bigint())

export const lockers = {
  '@howdah/lock': async (path) => {
    const lock = await acquire(path)
    return () => lock.release()
  },
  '@howdah/lock, fair: false': async (path) => {
    const lock = await acquire(path, { fair: false })
    return () => lock.release()
  },
  // The floor: one system call that blocks the whole thread.
  'flock(2), blocking the thread': async (path) => {
    const fd = openSync(path, 'a')
    fsExt.flockSync(fd, 'ex')
    return () => closeSync(fd)
  },
  'fs-ext, asynchronous flock': flockOf(fsExt),
  ...(extra && { 'fs-ext-extra-prebuilt': flockOf(createRequire(import.meta.url)(extra)) }),
  'fs-native-extensions': async (path) => {
    const fd = openSync(path, 'a')
    await extensions.waitForLock(fd)
    return () => {
      extensions.unlock(fd)
      closeSync(fd)
    }
  },
  'proper-lockfile': (path) => properLockfile.lock(path, { realpath: false, retries }),
  '@howdah/lock/proper-lockfile': (path) => ownLock(path, { realpath: false, retries }),
  '@howdah/lock/web-locks': (path) => webLocker(managerOf(`${dirname(path)}/web`), basename(path)),
  'flock(1)': async (path) => {
    const child = spawn('flock', [path, 'sh', '-c', 'echo locked; read line'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    return async () => {
      child.stdin.end()
      await once(child, 'exit')
    }
  },
}
