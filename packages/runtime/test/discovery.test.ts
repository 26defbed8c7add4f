import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import {
  all,
  anything,
  chain,
  type Constraint,
  glob,
  nothing,
  onEnvironmentPath,
  onPath,
  onPlatform,
  Runtime,
  satisfies,
  selectRuntime,
  single,
  type Strategy,
  Version,
  version,
} from '../src/index.ts'
import { fakeBindir } from './fake-bindir.ts'

const names = (runtimes: Runtime[]) => runtimes.map(({ bindir }) => bindir)

describe('a given directory', () => {
  test('is accepted with or without its bin, anywhere', async () => {
    using place = temporaryDirectory()
    const bindir = fakeBindir(place.file('pg/bin'), { version: '16.3' })
    symlinkSync(place.file('pg'), place.file('link'))
    const nowhere = onPath([], { cacheDir: place.file('cache') })
    for (const path of ['pg', 'pg/', 'pg/bin', 'link', 'link/bin']) {
      const found = await selectRuntime(nowhere, all(place.file(path), '16'))
      expect(found?.programs.has('initdb')).toBe(true)
      expect(found && satisfies(found, bindir)).toBe(true)
      expect(await selectRuntime(nowhere, all(place.file(path), '17'))).toBeNull()
    }
  })

  test('gives the reason if nothing runs from it', async () => {
    using place = temporaryDirectory()
    const nowhere = onPath([], { cacheDir: place.file('cache') })
    await expect(selectRuntime(nowhere, place.file('missing'))).rejects.toMatchObject({
      code: 'ERR_RUNTIME_NOT_A_RUNTIME',
      problem: 'missing',
    })
  })
})

describe('on a PATH', () => {
  test('select gives the highest match, fallback the first', async () => {
    using directory = temporaryDirectory()
    const old = fakeBindir(directory.file('old'), { version: '9.6.24' })
    const low = fakeBindir(directory.file('low'), { version: '16.2' })
    const high = fakeBindir(directory.file('high'), { version: '16.3' })
    const strategy = onPath([old, low, high], { cacheDir: directory.file('cache') })
    expect(names(await strategy.runtimes())).toEqual([old, low, high])
    expect((await strategy.select(version(16)))?.bindir).toBe(high)
    expect((await strategy.select(version('16.2')))?.bindir).toBe(low)
    expect((await strategy.select(version('9.6')))?.bindir).toBe(old)
    expect((await strategy.select(glob(`${directory.path}/l*`)))?.bindir).toBe(low)
    expect(await strategy.select(version(17))).toBeNull()
    expect(await strategy.select(nothing)).toBeNull()
    expect((await strategy.fallback())?.bindir).toBe(old)
  })

  test('a known version is believed, but diagnose runs the server', async () => {
    using directory = temporaryDirectory()
    const library = directory.file('library')
    writeFileSync(library, '')
    const words = 'error while loading shared libraries: libz.so.1: cannot open'
    const script = `[ -e '${library}' ] || { echo '${words}' >&2; exit 127; }; echo 'postgres (PostgreSQL) 16.3'`
    const bindir = fakeBindir(directory.file('bin'), { script })
    const strategy = () => onPath([bindir], { cacheDir: directory.file('cache') })
    expect(names(await strategy().runtimes())).toEqual([bindir])
    expect(await strategy().diagnose()).toEqual([])
    rmSync(library)
    expect(names(await strategy().runtimes())).toEqual([bindir])
    expect(await strategy().diagnose()).toMatchObject([
      { path: bindir, problem: 'missing-library', message: expect.stringContaining(words) },
    ])
  })

  test('a directory in which postgres is a link counts as the directory of its target', async () => {
    using directory = temporaryDirectory()
    const real = fakeBindir(directory.file('lib/16/bin'), { version: '16.3' }, [
      'initdb',
      'pg_dump',
    ])
    const links = directory.file('links')
    mkdirSync(links)
    symlinkSync(`${real}/postgres`, `${links}/postgres`)
    symlinkSync(`${real}/initdb`, `${links}/initdb`)
    const strategy = onPath([links, real], { cacheDir: directory.file('cache') })
    const runtimes = await strategy.runtimes()
    expect(names(runtimes)).toEqual([real])
    expect(runtimes[0]?.has('pg_dump')).toBe(true)
  })

  test('a directory that is itself a link keeps its name', async () => {
    using directory = temporaryDirectory()
    fakeBindir(directory.file('Cellar/16.3/bin'), { version: '16.3' })
    symlinkSync('Cellar/16.3', directory.file('opt'))
    const strategy = onPath([directory.file('opt/bin')], { cacheDir: directory.file('cache') })
    expect((await strategy.fallback())?.bindir).toBe(directory.file('opt/bin'))
  })

  test('a directory that is not a runtime is left out, and the diagnosis gives the reason', async () => {
    using directory = temporaryDirectory()
    const good = fakeBindir(directory.file('good'), { version: '16.3' })
    const bad = fakeBindir(directory.file('bad'), { script: 'exit 1' })
    const shims = fakeBindir(directory.file('shims'), { version: '16.3' })
    const client = directory.file('client')
    mkdirSync(client)
    writeFileSync(`${client}/psql`, '')
    const PATH = `relative::${directory.file('missing')}:${client}:${shims}:${bad}:${good}`
    const strategy = onEnvironmentPath({ PATH }, { cacheDir: directory.file('cache') })
    expect(names(await strategy.runtimes())).toEqual([good])
    expect((await strategy.fallback())?.bindir).toBe(good)
    const diagnoses = await strategy.diagnose()
    expect(diagnoses.map(({ path, problem }) => [path, problem])).toEqual([
      ['relative', 'relative'],
      ['', 'relative'],
      [client, 'client-only'],
      [shims, 'wrapper'],
      [bad, 'no-version'],
    ])
    expect(diagnoses.every(({ strategy: name }) => name === 'PATH')).toBe(true)
  })

  test.skipIf(process.geteuid?.() !== 0)(
    'a directory that this user may not enter is passed over without a word, as a shell does',
    async () => {
      using directory = temporaryDirectory()
      const closed = directory.file('closed')
      mkdirSync(closed, { mode: 0o700 })
      chmodSync(directory.path, 0o755)
      const strategy = onEnvironmentPath({ PATH: closed }, { cacheDir: directory.file('cache') })
      process.seteuid?.(65_534)
      try {
        expect(await strategy.diagnose()).toEqual([])
        expect(await strategy.runtimes()).toEqual([])
      } finally {
        process.seteuid?.(0)
      }
    },
  )

  test('without PATH there is nothing', async () => {
    expect(await onEnvironmentPath({}).runtimes()).toEqual([])
    expect(await onEnvironmentPath({ PATH: '' }).diagnose()).toEqual([])
  })

  test.skipIf(
    !existsSync('/usr/lib/postgresql/15/bin/postgres') || !existsSync('/usr/local/bin/postgres'),
  )("finds the system's, through links, and not its wrappers", async () => {
    using directory = temporaryDirectory()
    const PATH = '/usr/local/bin:/usr/bin'
    const strategy = onEnvironmentPath({ PATH }, { cacheDir: directory.file('cache') })
    expect(names(await strategy.runtimes())).toEqual(['/usr/lib/postgresql/15/bin'])
  })
})

describe('in the usual directories', () => {
  const table: [NodeJS.Platform, string, Record<string, string>, string | null][] = [
    ['linux', 'usr/lib/postgresql/16/bin', {}, '16.3'],
    ['linux', 'usr/lib/postgresql16/bin', {}, '16.3'],
    ['linux', 'usr/pgsql-16/bin', {}, '16.3'],
    ['linux', 'usr/bin', {}, '16.3'],
    ['linux', 'usr/libexec/postgresql16', {}, '16.3'],
    ['linux', 'usr/local/pgsql/bin', {}, '16.3'],
    ['linux', 'opt/homebrew/opt/postgresql@16/bin', {}, null],
    ['linux', 'home/me/.asdf/installs/postgres/16.3/bin', {}, '16.3'],
    ['linux', 'home/me/.local/share/mise/installs/postgres/16.3/bin', {}, '16.3'],
    ['linux', 'home/me/.nix-profile/bin', {}, '16.3'],
    ['linux', 'elsewhere/installs/postgres/16.3/bin', { ASDF_DATA_DIR: 'elsewhere' }, '16.3'],
    ['linux', 'elsewhere/installs/postgres/16.3/bin', {}, null],
    ['darwin', 'opt/homebrew/opt/postgresql@16/bin', {}, '16.3'],
    ['darwin', 'usr/local/opt/postgresql@16/bin', {}, '16.3'],
    ['darwin', 'opt/local/lib/postgresql16/bin', {}, '16.3'],
    ['darwin', 'Applications/Postgres.app/Contents/Versions/16/bin', {}, '16.3'],
    ['darwin', 'home/me/Applications/Postgres.app/Contents/Versions/16/bin', {}, '16.3'],
    ['darwin', 'usr/lib/postgresql/16/bin', {}, null],
  ]
  test.each(table)('%s: %s with %j: %s', async (platform, path, variables, found) => {
    using directory = temporaryDirectory()
    fakeBindir(directory.file(path), { version: '16.3' })
    const variable = Object.entries(variables).map(([key, value]) => [key, directory.file(value)])
    const strategy = onPlatform({
      platform,
      root: directory.path,
      home: directory.file('home/me'),
      env: Object.fromEntries(variable) as Record<string, string>,
      cacheDir: directory.file('cache'),
    })
    expect((await strategy.runtimes()).map(String)).toEqual(
      found === null ? [] : [`PostgreSQL ${found} at ${directory.file(path)}`],
    )
  })

  test('the fallback is the highest', async () => {
    using directory = temporaryDirectory()
    for (const major of [9, 15, 16]) {
      const what = { version: major === 9 ? '9.6.24' : `${major}.1` }
      fakeBindir(
        directory.file('usr/lib/postgresql', major === 9 ? '9.6' : `${major}`, 'bin'),
        what,
      )
    }
    const strategy = onPlatform({
      platform: 'linux',
      root: directory.path,
      home: directory.file('home'),
      env: {},
      cacheDir: directory.file('cache'),
    })
    expect((await strategy.fallback())?.version.toString()).toBe('16.1')
    expect((await strategy.select(version('9.6')))?.version.toString()).toBe('9.6.24')
  })
})

const fake = async (directory: string, text: string): Promise<Runtime> =>
  Runtime.at(fakeBindir(directory, { version: text }), { version: Version.parse(text) })

describe('a chain', () => {
  test('does not ask later strategies when an earlier one has the answer', async () => {
    using directory = temporaryDirectory()
    const runtime = await fake(directory.file('16'), '16.3')
    const untouchable = new Proxy({ name: 'untouchable' } as Strategy, {
      get(target, key) {
        if (key === 'name') return target.name
        throw new Error(`${String(key)} was asked for`)
      },
    })
    const strategy = chain(single(runtime), untouchable)
    expect(await strategy.select(version(16))).toBe(runtime)
    expect(await strategy.fallback()).toBe(runtime)
    await expect(strategy.select(version(17))).rejects.toThrow('select was asked for')
  })

  test('gives the match of the first strategy that has one, even if a later one has a higher version', async () => {
    using directory = temporaryDirectory()
    const low = await fake(directory.file('low'), '16.1')
    const high = await fake(directory.file('high'), '16.3')
    const other = await fake(directory.file('other'), '15.1')
    const strategy = chain(single(other), chain(single(low), single(high)))
    expect(await strategy.select(version(16))).toBe(low)
    expect(await strategy.select(version(14))).toBeNull()
    expect(await strategy.fallback()).toBe(other)
    expect(await chain().fallback()).toBeNull()
  })

  test('lists each version once, the first one', async () => {
    using directory = temporaryDirectory()
    const one = await fake(directory.file('one'), '16.3')
    const same = await fake(directory.file('same'), '16.3')
    const other = await fake(directory.file('other'), '15.1')
    const strategy = chain(single(one), single(other), single(same))
    expect(await strategy.runtimes()).toEqual([one, other])
    expect(await strategy.diagnose()).toEqual([])
  })
})

const counting = (directory: { file(...parts: string[]): string }) =>
  fakeBindir(directory.file('bin'), {
    script: `echo x >> ${directory.file('asked')}; echo 'postgres (PostgreSQL) 16.3'`,
  })
const ask = async (bindir: string, cacheDir: string, constraint: Constraint = anything) =>
  onPath([bindir], { cacheDir }).select(constraint)
const asked = (directory: { file(...parts: string[]): string }) =>
  readFileSync(directory.file('asked'), 'utf8').length / 2

describe('versions are cached', () => {
  test('on disk, so that a server is asked once', async () => {
    using directory = temporaryDirectory()
    const bindir = counting(directory)
    for (let round = 0; round < 3; round += 1) {
      expect((await ask(bindir, directory.file('cache')))?.version.toString()).toBe('16.3')
    }
    expect(asked(directory)).toBe(1)
  })

  test('until the server has changed', async () => {
    using directory = temporaryDirectory()
    const bindir = counting(directory)
    await ask(bindir, directory.file('cache'))
    const { size } = statSync(`${bindir}/postgres`)
    fakeBindir(bindir, {
      script: `echo x >> ${directory.file('asked')}; echo 'postgres (PostgreSQL) 16.4'`,
    })
    expect(statSync(`${bindir}/postgres`).size).toBe(size)
    utimesSync(`${bindir}/postgres`, 1, 1)
    expect((await ask(bindir, directory.file('cache')))?.version.toString()).toBe('16.4')
    expect(asked(directory)).toBe(2)
  })

  test.each([
    ['garbage', '{"format":1,"ent'],
    ['another format', '{"format":99,"entries":{}}'],
    ['entries of another kind', '{"format":1,"entries":{"/x":{"size":"1"},"/y":null,"/z":7}}'],
    ['nothing', ''],
  ])('a damaged file with %s is made again', async (_, text) => {
    using directory = temporaryDirectory()
    const bindir = counting(directory)
    await ask(bindir, directory.file('cache'))
    writeFileSync(directory.file('cache/versions.json'), text)
    await ask(bindir, directory.file('cache'))
    await ask(bindir, directory.file('cache'))
    expect(asked(directory)).toBe(2)
  })

  test('not in a directory that others can write, without an error', async () => {
    using directory = temporaryDirectory()
    const bindir = counting(directory)
    mkdirSync(directory.file('cache'))
    chmodSync(directory.file('cache'), 0o777)
    await ask(bindir, directory.file('cache'))
    expect((await ask(bindir, directory.file('cache')))?.version.toString()).toBe('16.3')
    expect(existsSync(directory.file('cache/versions.json'))).toBe(false)
    expect(asked(directory)).toBe(2)
  })
})
