import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { lockedFile, tryAcquire } from '../src/index.ts'
import { Child } from './support/child.ts'

const dist = fileURLToPath(new URL('../dist', import.meta.url))
const durable = fileURLToPath(new URL('../../durable', import.meta.url))

/** Installs the built package beside another fs-ext, or none, and gives how an acquisition there ends. */
async function acquireWith(directory: TemporaryDirectory, binding: string | null): Promise<string> {
  cpSync(dist, directory.file('package'), { recursive: true })
  writeFileSync(directory.file('package', 'package.json'), '{"type":"module"}')
  cpSync(durable, directory.file('package', 'node_modules', '@howdah', 'durable'), {
    recursive: true,
    filter: (path) => !path.includes('node_modules', durable.length),
  })
  if (binding !== null) {
    const module = directory.file('package', 'node_modules', 'fs-ext')
    mkdirSync(module, { recursive: true })
    writeFileSync(`${module}/index.js`, binding)
  }
  const source = `
    process.env.HOWDAH_FLOCK = ''
    const { acquire } = await import(process.argv[1] + '/package/index.js')
    const error = await acquire(process.argv[1] + '/lock').catch((error) => error)
    console.log(JSON.stringify([error.code, error.message, error.cause?.code]))`
  await using child = Child.command(process.execPath, [
    '--input-type=module',
    '-e',
    source,
    directory.path,
  ])
  return await child.line()
}

const failing = (code: string): string => `
  exports.constants = { LOCK_SH: 1, LOCK_EX: 2, LOCK_NB: 4, LOCK_UN: 8 }
  exports.flockSync = () => { throw Object.assign(new Error('${code}'), { code: '${code}' }) }`

describe('on Windows', () => {
  it('the package imports, and every acquire says that locks are not supported there', async () => {
    using directory = temporaryDirectory()
    const source = `
      Object.defineProperty(process, 'platform', { value: 'win32' })
      const path = process.argv[1] + '/lock'
      const calls = [
        () => lock.acquire(path), () => lock.tryAcquire(path), async () => lock.acquireSync(path),
        () => lock.withLock(path, {}, () => {}), () => new lock.Mutex(path).lock(), () => lock.DataDirLock.acquire(path),
        () => lock.DataDirLock.acquireOrBreakStale(path), () => lock.lockedFile.read(path),
        () => lock.lockedFile.write(path, ''), () => lock.inspect(path),
      ]
      const codes = await Promise.all(calls.map((call) => call().then(() => 'done', (error) => error.code)))
      console.log([...new Set(codes)].join())`
    await using child = Child.script(source, directory.path)
    expect(await child.line()).toBe('ERR_LOCK_UNSUPPORTED')
    expect(readdirSync(directory.path)).toEqual([])
  })
})

describe('the native part', () => {
  it('if it is missing, gives an error with the cure', async () => {
    using directory = temporaryDirectory()
    const outcome = await acquireWith(directory, null)
    expect(outcome).toMatch(
      /: there is no prebuilt binding for .*, and fs-ext is not installed; install fs-ext, .*","MODULE_NOT_FOUND"\]$/,
    )
  })

  it('if it was not built, gives the same error', async () => {
    using directory = temporaryDirectory()
    const outcome = await acquireWith(directory, "require('./build/Release/fs_ext.node')")
    expect(outcome).toContain('ERR_LOCK_BINDING')
  })

  it('if it was built for another Node, gives an error that says so', async () => {
    using directory = temporaryDirectory()
    const outcome = await acquireWith(
      directory,
      "throw Object.assign(new Error('NODE_MODULE_VERSION 1'), { code: 'ERR_DLOPEN_FAILED' })",
    )
    expect(outcome).toContain('ERR_LOCK_BINDING')
    expect(outcome).toContain('built for another Node')
  })
})

describe('a file system', () => {
  it.each(['ENOSYS', 'EOPNOTSUPP', 'ENOLCK'])(
    'that answers %s cannot lock, and the error says so',
    async (code) => {
      using directory = temporaryDirectory()
      const outcome = await acquireWith(directory, failing(code))
      expect(JSON.parse(outcome)).toEqual([
        'ERR_LOCK_UNSUPPORTED',
        expect.stringContaining('local disk'),
        code,
      ])
    },
  )

  it('that answers something unheard of is an error with its cause', async () => {
    using directory = temporaryDirectory()
    expect(JSON.parse(await acquireWith(directory, failing('EIO')))).toEqual([
      'ERR_LOCK_IO',
      expect.stringContaining('/lock'),
      'EIO',
    ])
  })

  it('that is full gives an error that says so, and leaves the old content', async ({ skip }) => {
    using directory = temporaryDirectory()
    const disk = directory.file('disk')
    mkdirSync(disk)
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,nr_inodes=5', 'none', disk])
    skip(mounted.status !== 0, 'only root may mount a small disk')
    try {
      const path = `${disk}/file`
      await lockedFile.write(path, 'old')
      await expect(lockedFile.write(path, 'x'.repeat(200_000))).rejects.toMatchObject({
        code: 'ERR_LOCK_NO_SPACE',
        path,
      })
      expect(await lockedFile.read(path)).toBe('old')
      expect(readdirSync(disk)).toEqual(['file'])

      for (const name of ['a', 'b', 'c']) writeFileSync(`${disk}/${name}`, '')
      await expect(tryAcquire(`${disk}/lock`)).rejects.toMatchObject({ code: 'ERR_LOCK_NO_SPACE' })
    } finally {
      spawnSync('umount', [disk])
    }
  })
})
