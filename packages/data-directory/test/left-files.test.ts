// @vitest-environment-options { "alone": "left-files" }
import { writeFileSync } from 'node:fs'
import type * as FileSystem from 'node:fs'
import type * as Promises from 'node:fs/promises'
import { linuxOnly } from '@howdah/fixtures'
import { beforeEach, expect, test, vi } from 'vitest'
import { acquire, currentProcess } from '@howdah/lock'
import {
  endOrphans,
  postgresProcesses,
  removeLeftFiles,
  serverWorkingIn,
  socketLocks,
} from '../src/index.ts'
import { serversIn } from '../src/server/refuse-unseen.ts'
import { deadPid, FakeDirectory } from './support/fake-directory.ts'
import { machine, resetMachine, toldOf } from './support/machine.ts'

vi.mock('../src/processes/sees-all-processes.ts', () => ({
  seesAllProcesses: () => machine.seesAll,
}))

vi.mock('node:fs', async (original) => {
  const real = await original<typeof FileSystem>()
  const readFileSync = (...args: Parameters<typeof real.readFileSync>) =>
    toldOf(args[0], real.readFileSync(...args))
  return { ...real, readFileSync }
})
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Promises>()
  const readFile = async (...args: Parameters<typeof real.readFile>) =>
    toldOf(args[0], await real.readFile(...args))
  return { ...real, readFile }
})

beforeEach(resetMachine)

const orphan = { title: 'postgres: checkpointer' }

/** The lock file beside a socket. */
function writeSocketLock(fake: FakeDirectory, pid: number | string): void {
  writeFileSync(fake.directory.file('.s.PGSQL.5432.lock'), `${pid}\n`)
}

test('nothing of a server that runs is removed, nor signalled', async () => {
  await using fake = new FakeDirectory()
  const { pid, identity } = await fake.postgres()
  await fake.postgres(orphan)
  fake.writePidFile({ pid })
  writeSocketLock(fake, pid)
  fake.writeRecord(identity)
  using server = await acquire(fake.directory.file('base'))
  await removeLeftFiles(fake.directory)
  expect(fake.left).toEqual(['.s.PGSQL.5432.lock', 'postmaster.pid'])
  expect(server.held && fake.running).toBe(2)
})

test('the files of a server that howdah has started go once nothing of it lives', async () => {
  await using fake = new FakeDirectory()
  const pid = await deadPid()
  fake.writePidFile({ pid })
  writeSocketLock(fake, pid)
  fake.writeRecord({ ...currentProcess(), pid, startTime: '1' })
  {
    // A child of it has inherited the lock.
    using _ = await acquire(fake.directory.file('base'))
    await removeLeftFiles(fake.directory)
    expect(fake.left).toEqual(['.s.PGSQL.5432.lock', 'postmaster.pid'])
  }
  await removeLeftFiles(fake.directory)
  expect(fake.left).toEqual([])
})

test('the files of a server that somebody else has started are left to the next server', async () => {
  await using fake = new FakeDirectory()
  const pid = await deadPid()
  await fake.postgres(orphan)
  fake.writePidFile({ pid })
  writeSocketLock(fake, pid)
  for (const recorded of [null, process.pid]) {
    if (recorded !== null) fake.writeRecord({ ...currentProcess(), pid: recorded, startTime: '1' })
    await removeLeftFiles(fake.directory)
    expect(fake.left).toEqual(['.s.PGSQL.5432.lock', 'postmaster.pid'])
  }
  expect(fake.running).toBe(1)
})

test('a file goes if its pid is taken by now, and with the pid file the orphans', async () => {
  await using fake = new FakeDirectory()
  const { ended } = await fake.postgres(orphan)
  fake.writePidFile({ pid: process.pid })
  writeSocketLock(fake, process.pid)
  await removeLeftFiles(fake.directory)
  expect(fake.left).toEqual([])
  expect(await ended).toBe('SIGQUIT')
})

test('a pid is taken by a process of another user, too', async () => {
  await using fake = new FakeDirectory()
  vi.spyOn(process, 'kill').mockImplementation(() => {
    throw Object.assign(new Error('not permitted'), { code: 'EPERM' })
  })
  try {
    writeSocketLock(fake, await deadPid())
    await removeLeftFiles(fake.directory)
    expect(fake.left).toEqual([])
  } finally {
    vi.restoreAllMocks()
  }
})

test('a pid file that names nobody goes, and with it the orphans', async () => {
  await using fake = new FakeDirectory()
  const { ended } = await fake.postgres(orphan)
  writeFileSync(fake.directory.pidFile, '')
  await removeLeftFiles(fake.directory)
  expect(fake.left).toEqual([])
  expect(await ended).toBe('SIGQUIT')
})

test(
  'a pid file that may be that of a server elsewhere is refused, and stays',
  linuxOnly('containers, from which a process may be hidden'),
  async () => {
    await using fake = new FakeDirectory()
    machine.seesAll = false
    fake.writePidFile({ pid: await deadPid() })
    const refusal = { code: 'ERR_CLUSTER_UNKNOWN_STATUS' }
    await expect(removeLeftFiles(fake.directory)).rejects.toMatchObject(refusal)
    expect(fake.left).toEqual(['postmaster.pid'])
  },
)

test('the locks beside sockets are known by their whole name', async () => {
  await using fake = new FakeDirectory()
  const others = ['.s.PGSQL.5432', 's.PGSQL.5432.lock', '.s.PGSQL.lock', '.s.PGSQL.1.lock.bak']
  for (const name of [...others, 'x.s.PGSQL.1.lock', '.s.PGSQL.15.lock']) {
    writeFileSync(fake.directory.file(name), '42\n/data\n')
  }
  const path = fake.directory.file('.s.PGSQL.15.lock')
  expect(await socketLocks(fake.directory)).toEqual([{ path, pid: 42 }])
  writeFileSync(path, 'nonsense')
  await removeLeftFiles(fake.directory)
  expect(await socketLocks(fake.directory)).toEqual([{ path, pid: NaN }])
  fake.remove()
  expect(await socketLocks(fake.directory)).toEqual([])
})

test('orphans are the children of no server, that work in the directory', async () => {
  await using fake = new FakeDirectory()
  const one = await fake.postgres(orphan)
  await fake.postgres({ ...orphan, cwd: fake.beside('bin') })
  await fake.postgres({ ...orphan, program: 'renamed' })
  const server = await fake.postgres()
  expect(await endOrphans(fake.directory)).toEqual([])
  expect(fake.running).toBe(4)
  process.kill(server.pid)
  await server.ended
  expect(await endOrphans(fake.directory)).toEqual([])
  expect(await one.ended).toBe('SIGQUIT')
  expect(fake.running).toBe(2)
})

test(
  'a process that is about to be gone is nobody’s server, is waited for, and keeps no orphan alive',
  linuxOnly('/proc, which tells that a process ends'),
  async () => {
    await using fake = new FakeDirectory()
    const one = await fake.postgres(orphan)
    // Of a server that was killed just now, the kernel has taken the memory, and so what it called itself.
    const ending = await fake.postgres()
    expect(await serversIn(fake.directory)).toEqual([ending.pid])
    machine.ending = [ending.pid]
    expect(await serversIn(fake.directory)).toEqual([])
    expect(await serverWorkingIn(fake.directory)).toBeNull()
    const seen = (await postgresProcesses())?.map(({ identity }) => identity.pid)
    expect([seen?.includes(one.pid), seen?.includes(ending.pid)]).toEqual([true, false])
    expect(await endOrphans(fake.directory)).toEqual([])
    expect(await Promise.all([one.ended, ending.ended])).toEqual(['SIGQUIT', 'SIGQUIT'])
  },
)

test('a process that is just becoming a server has no arguments yet, and counts as one', async () => {
  await using fake = new FakeDirectory()
  await fake.postgres(orphan)
  const starting = await fake.postgres()
  machine.starting = [starting.pid]
  expect(await serversIn(fake.directory)).toEqual([starting.pid])
  expect(await endOrphans(fake.directory)).toEqual([])
  expect(fake.running).toBe(2)
})

test('who does not end in time is told', async () => {
  await using fake = new FakeDirectory()
  const { pid } = await fake.deafOrphan()
  expect(await endOrphans(fake.directory, 100)).toMatchObject([{ identity: { pid } }])
})
