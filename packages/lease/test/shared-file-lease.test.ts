import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, readdirSync, statSync } from 'node:fs'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'

const isRoot = process.geteuid?.() === 0
/** Two members of a group, each with a primary group of their own. */
const [alice, bob, stranger, team] = [4_001, 4_002, 4_003, 4_100]

/** Has the lease of a directory acquired and released by a user, twice; the error's message, or nothing. */
async function useAs(uid: number, groups: number[], umask: string, dir: string, path: string) {
  const source = `
    process.umask(0o${umask})
    const { createFileLeaser } = await import('@howdah/lease')
    const leaser = createFileLeaser({ dir: process.argv[1], path: process.argv[2] })
    try {
      for (let n = 0; n < 2; n++) await leaser.release(await leaser.renew(await leaser.acquire()))
      console.log('done')
    } catch (error) {
      console.log(error.code + ': ' + error.message)
    }`
  const node = [process.execPath, '--input-type=module', '-e', source, dir, path]
  const ids = [`--reuid=${uid}`, `--regid=${uid}`]
  const supplementary = groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`
  const child = spawn('setpriv', [...ids, supplementary, ...node], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  await once(child, 'close')
  return said.trim()
}

function shared(mode: number, gid: number): TemporaryDirectory {
  const directory = temporaryDirectory()
  chownSync(directory.path, 0, gid)
  chmodSync(directory.path, mode)
  return directory
}

const reason = isRoot ? '' : ' (skipped: only root can be two users)'

describe.skipIf(!isRoot)(`a lease in a directory that users share${reason}`, () => {
  test.each([
    ['by a group, with setgid', 0o2770],
    ['by a group, without setgid', 0o770],
    ['by everybody', 0o777],
  ])('%s, is used by both in turn, whatever their umasks', async (_, mode) => {
    for (const path of ['lock.json', 'below/it/lock.json']) {
      using directory = shared(mode, team)
      for (const [uid, umask] of [
        [alice, '077'],
        [bob, '022'],
        [alice, '077'],
        [bob, '007'],
      ] as const) {
        expect(await useAs(uid, [team], umask, directory.path, path)).toBe('done')
      }
    }
  })

  test('is closed to everybody else', async () => {
    using directory = shared(0o2770, team)
    expect(await useAs(alice, [team], '022', directory.path, 'lock.json')).toBe('done')
    for (const name of readdirSync(directory.path)) {
      const { gid, mode } = statSync(directory.file(name))
      expect([gid, mode & 0o040]).toEqual([team, 0o040])
    }
    chmodSync(directory.path, 0o2771)
    expect(await useAs(stranger, [], '022', directory.path, 'lock.json')).toMatch(
      /^ERR_LEASE_STORE: .* this user may not read and write in its directory/,
    )
  })

  test('follows the umask if nobody shares the directory', async () => {
    using directory = shared(0o700, alice)
    chownSync(directory.path, alice, alice)
    expect(await useAs(alice, [], '077', directory.path, 'lock.json')).toBe('done')
    for (const name of readdirSync(directory.path))
      expect(statSync(directory.file(name)).mode & 0o777).toBe(0o600)
  })

  test('says of which record it may not read, and whose that is', async () => {
    using directory = shared(0o2770, team)
    expect(await useAs(alice, [team], '022', directory.path, 'lock.json')).toBe('done')
    const record = directory.file(
      readdirSync(directory.path)
        .filter((name) => /\.\d+$/.test(name))
        .toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true }))
        .at(-1) ?? '',
    )
    chmodSync(record, 0o600)
    const refusal = await useAs(bob, [team], '022', directory.path, 'lock.json')
    expect(refusal).toBe(
      `ERR_LEASE_STORE: the store of the lease ${directory.file('lock.json')} refused: this user may not read ${record}, ` +
        `which has mode 0600 and belongs to user ${alice} and group ${team}; ` +
        'make it readable for all who share the lease (EACCES)',
    )
  })
})
