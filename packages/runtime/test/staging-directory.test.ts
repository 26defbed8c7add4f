import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { expect, test } from 'vitest'
import { thisProcess } from '../src/machine/process-identity.ts'
import { StagingDirectory } from '../src/install/staging-directory.ts'

const us = thisProcess()
const canTell = us.start !== 'unknown' && us.boot !== 'unknown' && us.namespace !== 'unknown'

/** The name of a staging directory of some process. */
function nameOf(process: Partial<typeof us>): string {
  const { host, boot, namespace, pid, start } = { ...us, ...process }
  return `.staging-${host}-${boot}-${namespace}-${pid}-${start}-0123abcd`
}

/** The pid of a process that has ended. */
async function endedPid(): Promise<string> {
  const child = spawn(process.execPath, ['-e', ''], { stdio: 'ignore' })
  await once(child, 'exit')
  return String(child.pid)
}

/** Whether the sweep of a new staging directory removes one of that name. */
async function isSwept(name: string): Promise<boolean> {
  using home = temporaryDirectory()
  mkdirSync(home.file(name))
  writeFileSync(home.file(name, 'content'), '')
  await using own = await StagingDirectory.create(home.path)
  expect(own.path).not.toBe(home.file(name))
  return !readdirSync(home.path).includes(name)
}

test('what a dead process has left is removed', async () => {
  expect(await isSwept(nameOf({ pid: await endedPid() }))).toBe(true)
})

test.runIf(canTell)('what a process has left whose pid another has by now is removed', async () => {
  expect(await isSwept(nameOf({ start: '1' }))).toBe(true)
})

test.runIf(canTell)('what was left before the machine started anew is removed', async () => {
  expect(await isSwept(nameOf({ boot: '0123456789ab' }))).toBe(true)
})

test.each([
  ['of this very process', {}],
  ['of another machine', { host: '0123456789ab' }],
  ['of another pid namespace', { namespace: '1' }],
  ['of a process whose start is unknown, and whose pid lives', { start: 'unknown' }],
  ['of a machine that does not tell when it started', { boot: 'unknown' }],
  ['with a pid that is no number', { pid: 'x' }],
  ['with pid 0', { pid: '0' }],
  ['without a pid', { pid: '' }],
  ['without a start', { start: '' }],
  ['without a host', { host: '' }],
])('a directory %s is left: what cannot be known counts as alive', async (_what, other) => {
  expect(await isSwept(nameOf(other))).toBe(false)
})

test.each(['.staging', '.staging-', 'staging-a-b-c-1-2-3', '.staged'])(
  'a directory named %s is left: nobody knows whose it is',
  async (name) => {
    expect(await isSwept(name)).toBe(false)
  },
)
