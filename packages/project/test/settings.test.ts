import { chownSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { findProject } from '@howdah/project'
import { Ajv } from 'ajv'
import { directoryIn, isHere, run } from './git.ts'

const schema = createRequire(import.meta.url).resolve('@howdah/project/howdah.schema.json')

describe('howdah.json', () => {
  test('makes its directory a project, and counts for directories below it', () => {
    using here = temporaryDirectory()
    const deep = directoryIn(here.path, 'a/b')
    writeFileSync(here.file('howdah.json'), '{ "$schema": "x", "worktrees": "empty" }')
    expect(findProject(deep)).toMatchObject({
      path: here.path,
      settingsFile: here.file('howdah.json'),
      settings: { worktrees: 'empty' },
    })
    directoryIn(here.path, 'a/.howdah')
    expect(findProject(deep)).toMatchObject({ path: here.file('a'), settings: {} })
  })

  test('of a work tree counts for the projects in it', () => {
    using here = temporaryDirectory()
    directoryIn(here.path, '.jj/repo')
    directoryIn(here.path, 'a/.howdah')
    writeFileSync(here.file('howdah.json'), '{ "worktrees": "shared" }')
    expect(findProject(here.file('a'))).toMatchObject({
      path: here.file('a'),
      settings: { worktrees: 'shared' },
    })
  })

  test.each([
    ['no JSON', '{\n"mode": fast }', ':2 cannot be read: '],
    ['half of a JSON', '{\n\n"mode": "fast"\n', ':3 cannot be read: '],
    ['no object', '[]', ':1 is not a JSON object'],
    [
      'what nobody knows',
      '{\n "worktree": "fork" }',
      ':2 has "worktree", which means nothing; did you mean "worktrees"?',
    ],
    ['a swapped letter', '{ "verison": 18 }', 'did you mean "version"?'],
    ['another case', '{ "Databases": [] }', 'did you mean "databases"?'],
    ['what is like nothing', '{ "port": 1 }', 'means nothing; known are $schema, version, user, '],
    [
      'what nobody knows further inside',
      '{ "roles": {\n"a b": {\n"passwort": "x" } } }',
      ':3 has roles["a b"].passwort, which means nothing; did you mean "password"?',
    ],
    ['a typo in one of several forms', '{ "tcp": { "prot": 1 } }', 'did you mean "port"?'],
    ['a typo beside a missing key', '{ "init": { "comand": "x" } }', 'did you mean "command"?'],
    [
      'a wrong member of a list',
      '{ "init": [\n"a.sql",\n1 ] }',
      ':3 has a "init[1]" that should be a path, a glob, or an object such as',
    ],
    ['the name of a thing that every object has', '{ "toString": 1 }', 'has "toString", which'],
    ['the name of the prototype', '{ "__proto__": 1 }', 'has "__proto__", which'],
    ['another value', '{ "worktrees": true }', 'should be "fork", "empty" or "shared"'],
    ['a port that is none', '{ "tcp": { "port": 70000 } }', '"tcp.port" that should be a port'],
    [
      'two places for a password',
      '{ "tcp": { "password": { "env": "A", "file": "b" } } }',
      '"tcp.password" that should be a password, { "env": "NAME" } or { "file": "path" }',
    ],
    [
      'the same key twice, of which the last counts',
      '{ "mode": "safe",\n\n"mode": "slow" }',
      ':3 has a "mode" that should be "fast" or "safe"',
    ],
  ])('with %s is an error that says where and what is wrong', (_, text, message) => {
    using here = temporaryDirectory()
    writeFileSync(here.file('howdah.json'), text)
    expect(() => findProject(here.path)).toThrow(
      expect.objectContaining({
        code: 'ERR_PROJECT_SETTINGS',
        path: here.file('howdah.json'),
        message: expect.stringContaining(message),
      }),
    )
  })

  test.skipIf(!isHere('mkfifo'))('that is a FIFO is an error, and not waited for', () => {
    using here = temporaryDirectory()
    run(here.path, 'mkfifo', 'howdah.json')
    expect(() => findProject(here.path)).toThrow('it is a FIFO')
  })

  test("of a data directory is howdah's mark and does not make a project", () => {
    using here = temporaryDirectory()
    const dataDir = directoryIn(here.path, '.howdah/data')
    writeFileSync(join(dataDir, 'howdah.json'), '{ "superuser": "me", "created": true }')
    writeFileSync(join(dataDir, 'PG_VERSION'), '18\n')
    expect(findProject(dataDir).path).toBe(here.path)
  })

  test.skipIf(process.geteuid?.() !== 0)("another user's says nothing (root only)", () => {
    using here = temporaryDirectory()
    const deep = directoryIn(here.path, 'a')
    writeFileSync(here.file('howdah.json'), '{}')
    chownSync(here.file('howdah.json'), 54_321, -1)
    expect(findProject(deep).path).toBe(deep)
  })
})

describe('"howdah" in package.json', () => {
  test('is the same as howdah.json', () => {
    using here = temporaryDirectory()
    const deep = directoryIn(here.path, 'a/b')
    writeFileSync(here.file('package.json'), '{ "name": "x", "howdah": { "linger": 3 } }')
    expect(findProject(deep)).toMatchObject({
      path: here.path,
      settingsFile: here.file('package.json'),
      settings: { linger: 3 },
    })
  })

  test.each([
    ['no such key', '{ "devDependencies": { "howdah": "^1.0.0" } }'],
    ['no JSON', '{ "howdah": {'],
    ['no object', '"howdah"'],
  ])('counts for nothing if package.json has %s', (_, text) => {
    using here = temporaryDirectory()
    const deep = directoryIn(here.path, 'a')
    writeFileSync(here.file('package.json'), text)
    expect(findProject(deep)).toMatchObject({ path: deep, settingsFile: null, settings: {} })
  })

  test('with a typo is an error with the line in package.json', () => {
    using here = temporaryDirectory()
    writeFileSync(here.file('package.json'), '{ "mode": 1,\n"howdah": {\n"mod": "fast" } }')
    expect(() => findProject(here.path)).toThrow(
      expect.objectContaining({ path: here.file('package.json'), line: 3 }),
    )
  })

  test('beside a howdah.json is an error that names both', () => {
    using here = temporaryDirectory()
    writeFileSync(here.file('package.json'), '{ "howdah": {} }')
    writeFileSync(here.file('howdah.json'), '{}')
    expect(() => findProject(here.path)).toThrow(
      `${here.file('howdah.json')} says the same as "howdah" in ${here.file('package.json')}; keep one`,
    )
  })
})

describe('the published schema', () => {
  const scripts = ['a.sql', { command: 'x', files: ['m/*'] }]
  const secret = { env: 'A' }
  const whole = {
    $schema: './node_modules/howdah/howdah.schema.json',
    version: '18',
    user: 'me',
    locale: 'C',
    databases: { app: { owner: 'app', extensions: ['citext'] } },
    roles: { app: { password: secret, login: true, superuser: false, memberOf: ['other'] } },
    settings: { work_mem: '64MB', jit: false, max_connections: 20 },
    tcp: { port: 5432, password: { file: 'secret' }, tls: false },
    extensions: ['pg_trgm'],
    init: scripts,
    seed: 'seed.sql',
    linger: 1.5,
    mode: 'fast',
    worktrees: 'fork',
  }
  const texts = ['', 'x', '16.3', '/opt/*', 'fast', 'nul\0']
  const lists = [[], ['x'], [1], scripts]
  const objects = [{}, { x: {} }, secret, { env: 'A', file: 'b' }, { files: [] }, { port: 1 }]
  const samples: unknown[] = [null, true, 17, 70_000, -1, 1.5, ...texts, ...lists, ...objects]

  /** Documents that differ from `value` in one place. */
  function* variants(value: unknown): Generator {
    yield* samples
    if (typeof value !== 'object' || value === null) return
    for (const [key, member] of Object.entries(value)) {
      const put = (other: unknown) =>
        Array.isArray(value)
          ? value.with(Number(key), other)
          : { ...(value as Record<string, unknown>), [key]: other }
      for (const other of variants(member)) yield put(other)
    }
    if (!Array.isArray(value)) for (const other of samples) yield { ...value, unknown: other }
  }

  test('takes what the reader takes, and refuses what it refuses', () => {
    using here = temporaryDirectory()
    const takes = new Ajv().compile(JSON.parse(readFileSync(schema, 'utf8')) as object)
    const outcomes = [whole, ...variants(whole)].map((document) => {
      const text = JSON.stringify(document)
      writeFileSync(here.file('howdah.json'), text)
      let isRead = true
      try {
        findProject(here.path)
      } catch {
        isRead = false
      }
      return { text, isRead, isTaken: takes(document) }
    })
    expect(outcomes.filter(({ isRead, isTaken }) => isRead !== isTaken)).toEqual([])
    expect(outcomes[0]?.isTaken).toBe(true)
    for (const isTaken of [true, false])
      expect(outcomes.filter((one) => one.isTaken === isTaken).length).toBeGreaterThan(100)
  })

  test('says of each key what it is for', () => {
    const { properties } = JSON.parse(readFileSync(schema, 'utf8')) as {
      properties: Record<string, { description?: string }>
    }
    expect(Object.keys(properties).toSorted()).toEqual(Object.keys(whole).toSorted())
    for (const { description } of Object.values(properties))
      expect(description).toMatch(/\.$|\.json$/)
  })
})
