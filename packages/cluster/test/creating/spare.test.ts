import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import type * as Promises from 'node:fs/promises'
import { basename } from 'node:path'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { acquireSync, tryAcquire } from '@howdah/lock'
import { DataDirectory } from '@howdah/data-directory'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { claimSpare, isSpare, prepareSpare, sweepSpare } from '../../src/creating/spare.ts'
import type { Initialization } from '../../src/creating/initdb.ts'

/** What is done, in its order; the calls are made all the same. */
const seen = vi.hoisted(() => ({
  calls: [] as string[],
  failing: '',
  note(call: string): void {
    seen.calls.push(call)
    if (call === seen.failing) throw Object.assign(new Error('made to fail'), { code: 'EIO' })
  },
}))
const template = vi.hoisted(() => ({
  name: '18.0-0123456789abcdef01234567',
  isThere: true,
  onUnpack: async (_to: string) => {},
}))

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Promises>()
  return {
    ...real,
    mkdir: async (path: string, options: { mode: number }) => {
      seen.note(`make ${basename(path)} ${options.mode.toString(8)}`)
      return await real.mkdir(path, options)
    },
    rename: async (from: string, to: string) => {
      seen.note(`rename ${basename(from)} ${basename(to)}`)
      await real.rename(from, to)
    },
  }
})
vi.mock('../../src/creating/unpack-template.ts', () => ({
  keyOf: async () => ({ name: template.name, about: {} }),
  unpackTemplate: async (_cache: unknown, { name }: { name: string }, to: string) => {
    seen.note(`unpack ${name} ${basename(to)}`)
    writeFileSync(`${to}/PG_VERSION`, '18\n')
    await template.onUnpack(to)
    return template.isThere
  },
}))

const spare = `.spare-${template.name}`
const [unfinished, lock] = [`${spare}.tmp`, `${spare}.lock`]
const isRoot = process.geteuid?.() === 0

let home: TemporaryDirectory
/** Where temporary clusters lie. */
let place: string

beforeEach(() => {
  home = temporaryDirectory()
  place = home.file(`howdah-clusters-${process.geteuid?.()}`)
  mkdirSync(place, { mode: 0o700 })
  mkdirSync(home.file('cache', 'templates'), { recursive: true, mode: 0o700 })
  vi.stubEnv('HOWDAH_CACHE_DIR', home.file('cache'))
  Object.assign(seen, { calls: [], failing: '' })
  Object.assign(template, { isThere: true, onUnpack: async () => {} })
})
afterEach(() => {
  vi.unstubAllEnvs()
  home[Symbol.dispose]()
})

const at = (name: string) => `${place}/${name}`
const there = () => readdirSync(place).toSorted()
const keepTemplate = () =>
  writeFileSync(home.file('cache', 'templates', `${template.name}.template`), '')

function initialization(changes: Partial<Initialization> = {}): Initialization {
  const directory = new DataDirectory(at('cluster'))
  const made = { directory, user: null, superuser: 'me', throwAway: true }
  return { ...made, ...changes } as Initialization
}

function makeSpare(): void {
  mkdirSync(at(spare))
  writeFileSync(at(`${spare}/PG_VERSION`), '18\n')
}

const claim = async (changes: Partial<Initialization> = {}) =>
  await claimSpare({ name: template.name, about: {} }, at('staging'), initialization(changes))

describe('a spare cluster is made', () => {
  it('beside its name, where nobody else can look, and has its name when it is whole', async () => {
    template.onUnpack = async () => {
      expect(there()).toEqual([lock, unfinished])
      expect(await tryAcquire(at(lock), { create: false })).toBeNull()
    }
    await prepareSpare(initialization())
    expect(seen.calls).toEqual([
      `make ${unfinished} 700`,
      `unpack ${template.name} ${unfinished}`,
      `rename ${unfinished} ${spare}`,
    ])
    expect(there()).toEqual([spare, lock])
    expect(readdirSync(at(spare))).toEqual(['PG_VERSION'])
    expect(statSync(at(lock)).mode & 0o777).toBe(0o600)
    acquireSync(at(lock), { timeout: 0 }).release()
  })

  it('not at all if there is no template', async () => {
    template.isThere = false
    await prepareSpare(initialization())
    expect(there()).toEqual([lock])
  })

  it.each([`unpack ${template.name} ${unfinished}`, `rename ${unfinished} ${spare}`])(
    'not at all, and gives up its lock, if the disk fails at: %s',
    async (failing) => {
      seen.failing = failing
      await expect(prepareSpare(initialization())).rejects.toThrow('made to fail')
      expect(there()).toEqual([lock])
      acquireSync(at(lock), { timeout: 0 }).release()
    },
  )

  it('not at all if there is no cache of templates', async () => {
    rmSync(home.file('cache'), { recursive: true })
    await prepareSpare(initialization())
    expect(there()).toEqual([])
  })

  it('from the beginning, if another was killed at it', async () => {
    mkdirSync(at(unfinished))
    writeFileSync(at(`${unfinished}/half`), '')
    await prepareSpare(initialization())
    expect(readdirSync(at(spare))).toEqual(['PG_VERSION'])
  })

  it('once: not while another makes it, nor if there is one', async () => {
    {
      using _ = acquireSync(at(lock))
      await prepareSpare(initialization())
    }
    makeSpare()
    await prepareSpare(initialization())
    expect(seen.calls).toEqual([])
    // Whatever it is.
    rmSync(at(spare), { recursive: true })
    symlinkSync('/nowhere', at(spare))
    await prepareSpare(initialization())
    expect(seen.calls).toEqual([])
  })
})

describe('a spare cluster', () => {
  it('goes to the one who renames it', async () => {
    makeSpare()
    expect(await claim()).toBe(true)
    expect(seen.calls).toEqual([`rename ${spare} staging`])
    expect(readFileSync(at('staging/PG_VERSION'), 'utf8')).toBe('18\n')
    expect(await claim()).toBe(false)
  })

  it('stays if another was faster, or it cannot be moved', async () => {
    makeSpare()
    seen.failing = `rename ${spare} staging`
    expect(await claim()).toBe(false)
    expect(there()).toEqual([spare])
  })

  it('fills temporary clusters only', async () => {
    makeSpare()
    expect(await claim({ throwAway: false })).toBe(false)
    const other = home.file('other')
    mkdirSync(`${other}/${spare}`, { recursive: true })
    expect(await claim({ directory: new DataDirectory(`${other}/cluster`) })).toBe(false)
    expect([existsSync(at(spare)), existsSync(`${other}/${spare}`)]).toEqual([true, true])
  })

  it('is a directory', async () => {
    writeFileSync(at(spare), '')
    expect(await claim()).toBe(false)
    rmSync(at(spare))
    mkdirSync(home.file('elsewhere'))
    symlinkSync(home.file('elsewhere'), at(spare))
    expect(await claim()).toBe(false)
    expect(existsSync(home.file('elsewhere'))).toBe(true)
  })

  it.runIf(isRoot)(
    'is that of the server’s user, or ours if that is nobody else (root only)',
    async () => {
      const user = { name: 'nobody', uid: 65_534, gid: 65_534, closed: null, notice: null }
      makeSpare()
      expect(await claim({ user })).toBe(false)
      chownSync(at(spare), user.uid, user.gid)
      expect(await claim()).toBe(false)
      expect(await claim({ user })).toBe(true)
    },
  )

  it('is known by its name, and so is what belongs to it', () => {
    expect([spare, unfinished, lock].map(isSpare)).toEqual([true, true, true])
    expect(['cluster', 'x.spare-1', '.removed-1'].map(isSpare)).toEqual([false, false, false])
  })
})

describe('sweeping', () => {
  const sweepAll = async () => {
    for (const name of there()) await sweepSpare(place, name)
  }

  it('keeps the spare cluster of a template, and removes what was left unfinished', async () => {
    keepTemplate()
    makeSpare()
    mkdirSync(at(unfinished))
    writeFileSync(at(lock), '')
    await sweepAll()
    expect(there()).toEqual([spare, lock])
  })

  it('removes the spare cluster of no template', async () => {
    makeSpare()
    mkdirSync(at(unfinished))
    writeFileSync(at(lock), '')
    await sweepAll()
    expect(there().filter((name) => !name.startsWith('.removed-'))).toEqual([])
  })

  it.runIf(isRoot)(
    'removes it even if the templates are not ours any more (root only)',
    async () => {
      keepTemplate()
      chownSync(home.file('cache', 'templates'), 65_534, 65_534)
      makeSpare()
      writeFileSync(at(lock), '')
      await sweepAll()
      expect(there().filter((name) => !name.startsWith('.removed-'))).toEqual([])
    },
  )

  it('removes nothing while somebody makes it', async () => {
    makeSpare()
    mkdirSync(at(unfinished))
    using _ = acquireSync(at(lock))
    await sweepAll()
    expect(there()).toEqual([spare, lock, unfinished])
  })

  it('goes by the lock: what has none is left alone', async () => {
    makeSpare()
    mkdirSync(at(unfinished))
    await sweepAll()
    expect(there()).toEqual([spare, unfinished])
  })
})
