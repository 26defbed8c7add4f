// @vitest-environment-options { "alone": "creating/publishing" }
import fs, {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { basename, dirname } from 'node:path'
import type * as Durable from '@howdah/durable'
import { DataDirectory } from '@howdah/data-directory'
import { linuxOnly, temporaryDirectory, type TemporaryDirectory, until } from '@howdah/fixtures'
import { acquire, type Lock } from '@howdah/lock'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { bringIntoBeing } from '../../src/creating/create.ts'
import { destroyCluster } from '../../src/creating/destroy.ts'
import type { Staging } from '../../src/creating/staging.ts'

/** What happens to the files of a cluster, in its order; the calls are made all the same, unless one is to fail. */
const seen = vi.hoisted(() => ({
  calls: [] as string[],
  failing: '',
  error: 'EIO',
  note: (_call: string, _path: string): void => undefined,
  /** The paths of files that are open, by their descriptors. */
  opened: new Map<number, string>(),
}))

const real = { ...fs.promises, fsync: fs.fsync }

/** In the place of Node's own functions, so that the packages below see them too. */
const watched = {
  open: async (...words: Parameters<typeof real.open>) => {
    const file = await real.open(...words)
    seen.opened.set(file.fd, String(words[0]))
    return file
  },
  rename: async (from: string, to: string) => {
    seen.note('rename', to)
    await real.rename(from, to)
  },
  rm: async (path: string, options?: Parameters<typeof real.rm>[1]) => {
    seen.note('rm', path)
    await real.rm(path, options)
  },
  rmdir: async (path: string) => {
    seen.note('rmdir', path)
    await real.rmdir(path)
  },
}
const fsync = (fd: number, done: Parameters<typeof real.fsync>[1]): void => {
  const path = seen.opened.get(fd)
  seen.opened.delete(fd)
  if (path !== undefined) seen.note('sync', path)
  real.fsync(fd, done)
}

vi.mock('@howdah/durable', async (original) => {
  const durable = await original<typeof Durable>()
  return {
    ...durable,
    syncDirectory: async (path: string) => {
      seen.note('sync', 'directory')
      await durable.syncDirectory(path)
    },
  }
})

const byDescriptor = linuxOnly('/proc/self/fd, by which an open directory is reached')
let home: TemporaryDirectory
let directory: DataDirectory
let change: Lock

beforeEach(async () => {
  home = temporaryDirectory({ mode: 0o755 })
  directory = new DataDirectory(home.file('data'))
  mkdirSync(directory.path)
  change = await acquire(directory.path)
  seen.opened.clear()
  Object.assign(fs, { fsync })
  Object.assign(fs.promises, watched)
  syncBuiltinESMExports()
  Object.assign(seen, {
    calls: [],
    failing: '',
    error: 'EIO',
    note: (call: string, path: string) => {
      const name = basename(path)
      const named = `${call} ${name.startsWith('howdah.initdb-') ? 'staging' : name}`
      seen.calls.push(named)
      if (named !== seen.failing) return
      seen.failing = ''
      throw Object.assign(new Error('made to fail'), { code: seen.error })
    },
  })
})
afterEach(() => {
  const { open, rename, rm, rmdir } = real
  Object.assign(fs, { fsync: real.fsync })
  Object.assign(fs.promises, { open, rename, rm, rmdir })
  syncBuiltinESMExports()
  change.release()
  home[Symbol.dispose]()
})

const removal = { user: null, runtime: () => Promise.reject(new Error('there is none')) }
const names = () => readdirSync(directory.path).toSorted()
const isRoot = process.geteuid?.() === 0
const nobody = { name: 'nobody', uid: 65_534, gid: 65_534, closed: null, notice: null }

/** Fills a directory with what a cluster has, as far as anybody looks at it here. */
async function fill({ directory: { here } }: Staging): Promise<string> {
  for (const name of ['base', 'global']) mkdirSync(`${here}/${name}`)
  writeFileSync(`${here}/PG_VERSION`, '18\n')
  return 'me'
}

const bring = async (filling = fill) => await bringIntoBeing(directory, change, removal, filling)

describe('a cluster that is made', () => {
  it('is a wreck from before its first file to after its last, which is PG_VERSION, is on disk', async () => {
    const { note } = seen
    const wrecks: string[] = []
    seen.note = (call, path) => {
      if (existsSync(directory.wreck)) wrecks.push(`${call} ${basename(path)}`)
      note(call, path)
    }
    await bring(async (staging) => {
      expect(names()).toEqual(['howdah.creating', basename(staging.path)])
      expect(statSync(staging.path).mode & 0o777).toBe(0o700)
      return await fill(staging)
    })
    const first = seen.calls.findIndex((call) => /^rename (base|global)$/.test(call))
    const published = seen.calls.slice(first)
    expect(published.slice(0, 2).toSorted()).toEqual(['rename base', 'rename global'])
    expect(published.slice(2)).toEqual([
      'rename PG_VERSION',
      'rmdir staging',
      'sync directory',
      'rm howdah.creating',
      'sync directory',
    ])
    // The mark is there before the cluster is.
    expect(seen.calls.indexOf('rename howdah.json')).toBeLessThan(first)
    expect(wrecks).toContain('rename base')
    expect(wrecks).toContain('rename PG_VERSION')
    expect(wrecks.filter((call) => call === 'sync directory')).toHaveLength(1)
    expect(names()).toEqual(['PG_VERSION', 'base', 'global', 'howdah.json'])
    expect(JSON.parse(readFileSync(directory.mark, 'utf8'))).toEqual({
      superuser: 'me',
      created: true,
    })
  })

  it('is not synced if nobody needs it after a crash of the machine, but appears in the same order', async () => {
    await bring()
    const isSync = (call: string) => call.startsWith('sync ')
    expect(seen.calls.filter(isSync)).toEqual([
      'sync howdah.creating.tmp',
      'sync howdah.json.tmp',
      'sync directory',
      'sync directory',
    ])
    const order = seen.calls.filter((call) => !isSync(call))
    change.release()
    directory = new DataDirectory(home.file('other'))
    mkdirSync(directory.path)
    change = await acquire(directory.path)
    seen.calls = []
    await bringIntoBeing(directory, change, removal, fill, { durable: false })
    expect(seen.calls.filter(isSync)).toEqual([])
    expect(seen.calls.toSorted()).toEqual(order.toSorted())
    expect(seen.calls.slice(-3)).toEqual([
      'rename PG_VERSION',
      'rmdir staging',
      'rm howdah.creating',
    ])
  })

  it.each([
    'rename howdah.creating',
    'rename howdah.json',
    'rename base',
    'rename PG_VERSION',
    'rmdir staging',
    'sync directory',
  ])('is not there, nor a part of it, if the disk fails at: %s', async (failing) => {
    seen.failing = failing
    await expect(bring()).rejects.toThrow('made to fail')
    expect(seen.failing).toBe('')
    expect(names()).toEqual([])
    await bring()
    expect(names()).toContain('PG_VERSION')
  })

  it('is not there, nor a part of it, if it cannot be filled', async () => {
    const failed = new Error('initdb failed')
    await expect(
      bring(async (staging) => {
        await fill(staging)
        throw failed
      }),
    ).rejects.toBe(failed)
    expect(names()).toEqual([])
  })

  it.each([
    ['ENOSPC', 'ERR_CLUSTER_DISK_FULL'],
    ['EDQUOT', 'ERR_CLUSTER_DISK_FULL'],
    ['EACCES', 'ERR_CLUSTER_PERMISSION'],
    ['EPERM', 'ERR_CLUSTER_PERMISSION'],
    ['EROFS', 'ERR_CLUSTER_PERMISSION'],
  ])('says why not: %s', async (error, code) => {
    Object.assign(seen, { failing: 'rename base', error })
    await expect(bring()).rejects.toMatchObject({ code, cause: { code: error } })
  })

  it('takes the place of a wreck, with all that is in it, and of nothing else', async () => {
    writeFileSync(directory.file('letter.txt'), 'dear reader')
    await expect(bring()).rejects.toMatchObject({
      code: 'ERR_CLUSTER_NOT_EMPTY',
      found: ['letter.txt'],
    })
    expect(names()).toEqual(['letter.txt'])
    writeFileSync(directory.wreck, '')
    mkdirSync(directory.file('base'))
    await bring()
    expect(names()).toEqual(['PG_VERSION', 'base', 'global', 'howdah.json'])
  })

  it('takes the place of one whose marker was never published', async () => {
    writeFileSync(`${directory.wreck}.tmp`, 'half')
    await bring()
    expect(names()).toEqual(['PG_VERSION', 'base', 'global', 'howdah.json'])
  })

  it(
    'is made in the locked directory, whatever lies at its path by then',
    byDescriptor,
    async () => {
      renameSync(directory.path, home.file('moved'))
      mkdirSync(directory.path)
      await bring()
      expect(names()).toEqual([])
      expect(readdirSync(home.file('moved'))).toContain('PG_VERSION')
    },
  )
})

describe.runIf(isRoot)('as root, for a server of another user,', () => {
  const forNobody = { ...removal, user: nobody }

  it('the directory is given to that user, closed to others', async () => {
    await bringIntoBeing(directory, change, forNobody, fill)
    const { uid, mode } = statSync(directory.path)
    expect([uid, mode & 0o777]).toEqual([65_534, 0o700])
    expect(statSync(directory.mark).uid).toBe(65_534)
  })

  it('nothing is moved in of a directory that took the place of the one that was filled', async () => {
    const swapping = async (staging: Staging): Promise<string> => {
      await fill(staging)
      renameSync(staging.path, home.file('filled'))
      mkdirSync(staging.path)
      writeFileSync(`${staging.path}/PG_VERSION`, 'planted')
      return 'me'
    }
    await expect(bringIntoBeing(directory, change, forNobody, swapping)).rejects.toThrow(
      'was replaced meanwhile; try again',
    )
    expect(names()).toEqual([])
  })

  it('a directory of root’s is not given away by a link that another user may have put there', async () => {
    const link = home.file('link')
    symlinkSync(directory.path, link)
    const named = new DataDirectory(link)
    chmodSync(home.path, 0o777)
    await expect(bringIntoBeing(named, change, forNobody, fill)).rejects.toMatchObject({
      code: 'ERR_CLUSTER_PERMISSION',
      message: expect.stringContaining("another user's link"),
    })
    expect(statSync(directory.path).uid).toBe(0)
    chmodSync(home.path, 0o755)
    await bringIntoBeing(named, change, forNobody, fill)
    expect(statSync(directory.path).uid).toBe(nobody.uid)
  })
})

describe('a cluster that is destroyed', () => {
  beforeEach(async () => {
    await bring()
    writeFileSync(directory.file('base', '1'), '')
    seen.calls = []
  })

  it('is a wreck first, then no cluster, and at last not there', async () => {
    await destroyCluster(directory, change)
    const steps = ['rename howdah.creating', 'rm PG_VERSION', 'rm howdah.creating', 'rmdir data']
    expect(seen.calls.filter((call) => steps.includes(call))).toEqual(steps)
    expect(existsSync(directory.path)).toBe(false)
  })

  it('is a wreck until nothing else is left of it', async () => {
    const { note } = seen
    const left: string[][] = []
    seen.note = (call, path) => {
      if (call === 'rm' && basename(path) === 'howdah.creating') left.push(names())
      note(call, path)
    }
    await destroyCluster(directory, change)
    expect(left).toEqual([['howdah.creating']])
  })

  it('is a wreck on the disk before its first file goes, unless it is to be thrown away', async () => {
    const steps = ['sync howdah.creating.tmp', 'rename howdah.creating', 'rm PG_VERSION']
    const stepsTaken = () => seen.calls.filter((call) => steps.includes(call))
    await destroyCluster(directory, change)
    expect(stepsTaken()).toEqual(steps)
    change.release()
    mkdirSync(directory.path)
    change = await acquire(directory.path)
    await bring()
    writeFileSync(directory.throwAway, '')
    seen.calls = []
    await destroyCluster(directory, change)
    expect(stepsTaken()).toEqual(steps.slice(1))
  })

  it('among temporary ones disappears from its path at once, and its files go after that', async () => {
    change.release()
    directory = new DataDirectory(home.file(`howdah-clusters-${process.geteuid?.()}`, 'data'))
    mkdirSync(directory.path, { recursive: true })
    change = await acquire(directory.path)
    await bring()
    seen.calls = []
    await destroyCluster(directory, change)
    expect(existsSync(directory.path)).toBe(false)
    expect(seen.calls.slice(-2)).toEqual([
      'rm PG_VERSION',
      expect.stringMatching(/^rename \.removed-/),
    ])
    const { path } = directory
    await until('its files are gone', () => readdirSync(dirname(path)).length === 0)
  })

  it('is kept elsewhere as it is, if that is wanted', async () => {
    const before = names()
    await destroyCluster(directory, change, undefined, home.file('kept'))
    expect(existsSync(directory.path)).toBe(false)
    expect(readdirSync(home.file('kept')).toSorted()).toEqual(before)
    expect(seen.calls).toEqual(['rename kept'])
  })

  it.each(['EBUSY', 'ENOTDIR', 'EACCES', 'EPERM', 'ENOTEMPTY', 'ENOENT'])(
    'leaves an empty directory if that cannot be removed: %s',
    async (error) => {
      Object.assign(seen, { failing: 'rmdir data', error })
      await destroyCluster(directory, change)
      expect(names()).toEqual([])
    },
  )

  it('is not said to be gone if the disk fails', async () => {
    seen.failing = 'rmdir data'
    await expect(destroyCluster(directory, change)).rejects.toThrow('made to fail')
  })
})
