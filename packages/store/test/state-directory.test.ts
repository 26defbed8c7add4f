import { currentProcess } from '@howdah/lock'
import { temporaryDirectory } from '@howdah/fixtures'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { findStateDirectory, stateDirectories, stateDirectory } from '../src/index.ts'
import { caught } from './support/caught.ts'

const uid = process.geteuid!()
const machine = currentProcess().machineId ?? ''
const root = uid === 0
const none = { environment: {}, home: null, temporary: '/nonexistent' }

describe('the place of state', () => {
  test('is $HOWDAH_STATE_DIR, made with mode 0700, with its missing parents', () => {
    using directory = temporaryDirectory()
    const path = directory.file('a', 'b')
    expect(stateDirectory({ ...none, environment: { HOWDAH_STATE_DIR: path } })).toBe(path)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(statSync(directory.file('a')).mode & 0o777).toBe(0o700)
  })

  test('is else .local/state/howdah/<machine id> in the home', () => {
    using home = temporaryDirectory()
    const path = home.file('.local/state/howdah', machine)
    expect(stateDirectory({ ...none, home: home.path })).toBe(path)
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  test('is else /var/tmp/howdah-<uid>', () => {
    using temporary = temporaryDirectory()
    const path = temporary.file(`howdah-${uid}`)
    expect(stateDirectory({ ...none, temporary: temporary.path })).toBe(path)
    const gone = { environment: {}, home: '/nonexistent', temporary: temporary.path }
    expect(stateDirectory(gone), 'where there is no home').toBe(path)
    expect(existsSync('/nonexistent')).toBe(false)
  })

  test('is the same for a login, cron and sudo: no other variable counts', () => {
    using home = temporaryDirectory()
    using elsewhere = temporaryDirectory()
    const sources = { home: home.path, temporary: '/nonexistent' }
    const places = ['HOME', 'XDG_RUNTIME_DIR', 'XDG_STATE_HOME', 'TMPDIR', 'USER'].map((name) =>
      stateDirectory({ ...sources, environment: { [name]: elsewhere.path } }),
    )
    expect(new Set(places)).toEqual(new Set([stateDirectory({ ...sources, environment: {} })]))
  })

  const wrong: [string, (path: string) => void, string][] = [
    ['a symbolic link', (path) => symlinkSync('/tmp', path), 'is a symbolic link'],
    ['a dangling symbolic link', (path) => symlinkSync('nowhere', path), 'is a symbolic link'],
    ['a file', (path) => writeFileSync(path, ''), 'is not a directory'],
    ['open to others', (path) => mkdirSync(path, 0o755), 'has mode 0755, not 0700'],
    ['not open to us', (path) => mkdirSync(path, 0o600), '0600'],
  ]
  test.each(wrong)('is not used if it is %s', async (...row) => {
    const [, make, why] = row
    using directory = temporaryDirectory()
    using temporary = temporaryDirectory()
    const path = directory.file('state')
    make(path)
    const environment = { HOWDAH_STATE_DIR: path }
    const error = await caught(() => stateDirectory({ environment, temporary: temporary.path }))
    expect(error.code).toBe('ERR_STORE_STATE_DIRECTORY')
    expect(error.message).toMatch(root ? why : /state/)
    expect(error.message).toContain('Set HOWDAH_STATE_DIR')

    const inTemporary = temporary.file(`howdah-${uid}`)
    make(inTemporary)
    const refused = await caught(() =>
      stateDirectory({ environment: {}, home: null, temporary: temporary.path }),
    )
    expect(refused.code).toBe('ERR_STORE_STATE_DIRECTORY')
  })

  test.runIf(root)('is not used if it belongs to somebody else', async () => {
    using directory = temporaryDirectory({ mode: 0o700 })
    chownSync(directory.path, 4242, 4242)
    const environment = { HOWDAH_STATE_DIR: directory.path }
    const error = await caught(() => stateDirectory({ environment }))
    expect(error.message).toContain('belongs to user 4242, not 0')
  })

  test('that is set to a relative path is refused', async () => {
    const error = await caught(() => stateDirectory({ environment: { HOWDAH_STATE_DIR: 'state' } }))
    expect(error.message).toContain('HOWDAH_STATE_DIR is state, which is not an absolute path')
  })

  test('that cannot be found is one warning', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    expect(findStateDirectory(none)).toBeNull()
    expect(findStateDirectory(none)).toBeNull()
    expect(warn).toHaveBeenCalledTimes(1)
    expect(warn.mock.calls[0]?.[0]).toContain('there is no directory /nonexistent')
    warn.mockRestore()
    using home = temporaryDirectory()
    expect(findStateDirectory({ ...none, home: home.path })).toContain(home.path)
  })
})

describe('the state directories that are there', () => {
  test("are one's own, and nothing is made", () => {
    using home = temporaryDirectory()
    const sources = { ...none, home: home.path, userDatabase: '/nonexistent' }
    expect(stateDirectories(sources)).toEqual([])
    const path = stateDirectory(sources)
    expect(stateDirectories(sources)).toEqual([{ path, uid }])
    chmodSync(path, 0o755)
    expect(stateDirectories(sources), 'as little as another would be used').toEqual([])
  })

  test.runIf(root)("are for root everybody's, if they belong to the right users", () => {
    using directory = temporaryDirectory()
    const give = (path: string, owner: number): string => {
      mkdirSync(path, { recursive: true })
      chmodSync(path, 0o700)
      chownSync(path, owner, owner)
      return path
    }
    const state = `.local/state/howdah/${machine}`
    const ada = give(directory.file('home/ada', state), 4001)
    give(directory.file('home/bob', state), 4001)
    const temporary = directory.file('var')
    const grace = give(directory.file('var/howdah-4003'), 4003)
    give(directory.file('var/howdah-4004'), 4003)
    symlinkSync(grace, directory.file('var/howdah-4005'))
    const users = [
      `ada:x:4001:4001:Ada:${directory.file('home/ada')}:/bin/sh`,
      `bob:x:4002:4002::${directory.file('home/bob')}:/bin/sh`,
      'nobody:x:65534:65534::/nonexistent:/usr/sbin/nologin',
      'garbage',
    ]
    writeFileSync(directory.file('passwd'), users.join('\n'))
    const sources = { ...none, temporary, userDatabase: directory.file('passwd') }
    expect(stateDirectories(sources)).toEqual([
      { path: ada, uid: 4001 },
      { path: grace, uid: 4003 },
    ])
    const given = give(directory.file('given'), 0)
    const environment = { HOWDAH_STATE_DIR: given }
    expect(stateDirectories({ ...sources, environment }), 'none but the one that is set').toEqual([
      { path: given, uid: 0 },
    ])
  })
})
