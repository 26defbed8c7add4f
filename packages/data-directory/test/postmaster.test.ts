// @vitest-environment-options { "alone": "postmaster" }
import { rmSync, writeFileSync } from 'node:fs'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { acquire, currentProcess } from '@howdah/lock'
import { linuxOnly } from '@howdah/fixtures'
import { findPostmaster, isLost, refuseServed, serverWorkingIn } from '../src/index.ts'
import { lookAtPidFile } from '../src/files/postmaster-pid.ts'
import { deadPid, FakeDirectory } from './support/fake-directory.ts'
import { inode, machine, resetMachine, segmentsNow } from './support/machine.ts'

vi.mock('../src/memory/segments.ts', () => ({ segments: () => segmentsNow() }))
vi.mock('../src/memory/has-attached.ts', () => ({
  hasAttached: async (pid: number, id: number) =>
    machine.attached.some(([one, its]) => one === pid && its === id),
}))
vi.mock('../src/processes/sees-all-processes.ts', () => ({
  seesAllProcesses: () => machine.seesAll,
}))
vi.mock(import('../src/processes/working-directory.ts'), async (original) => {
  const { workingIn } = await original()
  return {
    workingIn: async (directory, pids) =>
      machine.seesWhere ? await workingIn(directory, pids) : { here: [], unknown: [...pids] },
  }
})

beforeEach(resetMachine)

/** Elsewhere a process that cannot be seen does not run. */
const containers = linuxOnly('containers, from which a process may be hidden')

const unknownStatus = { code: 'ERR_CLUSTER_UNKNOWN_STATUS' }

describe('the server of a directory', () => {
  test('is the process of PostgreSQL that the pid file names, if it works there', async () => {
    await using fake = new FakeDirectory()
    const { pid, identity } = await fake.postgres()
    fake.writePidFile({ pid })
    const found = await findPostmaster(fake.directory)
    expect(found).toMatchObject({ identity, file: { pid, status: 'ready', port: 5432 } })
  })

  test.each(['postgres', 'postmaster'])('may be called %s', async (program) => {
    await using fake = new FakeDirectory()
    const { pid } = await fake.postgres({ program })
    fake.writePidFile({ pid })
    expect((await findPostmaster(fake.directory))?.identity.pid).toBe(pid)
  })

  test('may be one in single-user mode, which writes its pid with a minus sign', async () => {
    await using fake = new FakeDirectory()
    const { pid } = await fake.postgres()
    fake.writePidFile({ pid: -pid })
    expect((await findPostmaster(fake.directory))?.identity.pid).toBe(pid)
  })

  test('is none without a pid file', async () => {
    await using fake = new FakeDirectory()
    expect(await findPostmaster(fake.directory)).toBeNull()
  })

  test('is none if the process is that of another directory, or no PostgreSQL, or has ended', async () => {
    await using fake = new FakeDirectory()
    const others = [
      await fake.postgres({ cwd: fake.beside('bin') }),
      await fake.postgres({ program: 'postgresque' }),
      { pid: process.pid },
      { pid: await deadPid() },
    ]
    for (const { pid } of others) {
      fake.writePidFile({ pid })
      expect(await findPostmaster(fake.directory)).toBeNull()
    }
  })

  test('is the recorded process, whatever that runs, and no other', async () => {
    await using fake = new FakeDirectory()
    const { pid, identity } = await fake.postgres({ program: 'renamed' })
    fake.writePidFile({ pid })
    fake.writeRecord(identity)
    expect((await findPostmaster(fake.directory))?.identity).toEqual(identity)
    const others = [
      { pid: String(process.pid) },
      { start: '1' },
      { boot: 'another' },
      { of: '1:1' },
    ]
    for (const changes of others) {
      fake.writeRecord(identity, changes)
      expect(await findPostmaster(fake.directory)).toBeNull()
    }
  })

  // The file has whole seconds of a clock that is a few ms behind.
  test.each(['00:00:10.003', '00:00:10.900'])(
    'launched at %s has written its file, even if that names the second before',
    async (launched) => {
      await using fake = new FakeDirectory()
      const { pid, identity } = await fake.postgres()
      fake.writeRecord(identity, { since: `2026-01-01T${launched}Z` })
      const own = { pid, status: 'ready', port: 5432, sharedMemory: { key: 1, id: 2 } }
      for (const second of ['00:00:09', '00:00:10']) {
        fake.writePidFile({ pid, startedAt: new Date(`2026-01-01T${second}Z`), memory: '1 2' })
        expect((await findPostmaster(fake.directory))?.file).toMatchObject(own)
      }
    },
  )

  test('has said nothing yet if its file is older than itself: an earlier server with the same pid wrote it', async () => {
    await using fake = new FakeDirectory()
    const { pid, identity } = await fake.postgres()
    const launched = new Date('2026-01-01T00:00:10.900Z')
    fake.writeRecord(identity, { since: launched.toISOString() })
    fake.writePidFile({ pid, startedAt: new Date('2026-01-01T00:00:08Z'), memory: '1 2' })
    expect((await findPostmaster(fake.directory))?.file).toMatchObject({
      pid,
      status: 'starting',
      port: null,
      socketDirectory: null,
      listenAddress: null,
      sharedMemory: null,
    })
  })
})

describe('a process of PostgreSQL of which may not be seen where it works', containers, () => {
  test('is judged by the shared memory that the pid file names', async () => {
    await using fake = new FakeDirectory()
    const { pid } = await fake.postgres()
    const key = inode(fake.directory.path)
    fake.writePidFile({ pid, memory: `${key} 7` })
    machine.seesWhere = false
    const own = { key, id: 7, creator: pid, attached: 1, uid: 0 }
    machine.segments = [{ ...own, id: 6 }, own]
    expect((await findPostmaster(fake.directory))?.identity.pid).toBe(pid)
    // Left by a server that had the pid earlier: nobody has it, or somebody else has made it.
    for (const other of [{ attached: 0 }, { creator: pid + 1 }]) {
      machine.segments = [{ ...own, ...other }]
      expect(await findPostmaster(fake.directory)).toBeNull()
    }
    for (const other of [{ id: 8 }, { key: key + 1 }]) {
      machine.segments = [{ ...own, ...other }]
      await expect(findPostmaster(fake.directory)).rejects.toMatchObject(unknownStatus)
    }
    // The inode number is that of a directory on another file system, too, of which the file is a copy.
    machine.segments = [own]
    for (const dataDir of [fake.beside('bin'), '/nowhere/at/all']) {
      fake.writePidFile({ pid, dataDir, memory: `${key} 7` })
      await expect(findPostmaster(fake.directory)).rejects.toMatchObject(unknownStatus)
    }
    fake.writePidFile({ pid, dataDir: fake.link('link'), memory: `${key} 7` })
    expect((await findPostmaster(fake.directory))?.identity.pid).toBe(pid)
    const foreign = key + 16
    fake.writePidFile({ pid, memory: `${foreign} 7` })
    machine.segments = [{ ...own, key: foreign }]
    expect(await findPostmaster(fake.directory)).toBeNull()
  })

  test('cannot be judged without shared memory', async () => {
    await using fake = new FakeDirectory()
    const { pid } = await fake.postgres()
    fake.writePidFile({ pid })
    machine.seesWhere = false
    await expect(findPostmaster(fake.directory)).rejects.toMatchObject(unknownStatus)
  })

  test.skipIf(process.geteuid?.() !== 0)(
    'is none of a directory of another user: no server runs there but its own',
    async () => {
      await using fake = new FakeDirectory()
      const { pid } = await fake.postgres()
      fake.writePidFile({ pid })
      fake.giveTo(65_534)
      machine.seesWhere = false
      expect(await findPostmaster(fake.directory)).toBeNull()
    },
  )
})

describe(
  'a pid file of a server that howdah did not start, whose process is not here',
  containers,
  () => {
    test(
      'may be that of a server in another container, unless all processes can be seen',
      containers,
      async () => {
        await using fake = new FakeDirectory()
        fake.writePidFile({ pid: await deadPid() })
        expect(await findPostmaster(fake.directory)).toBeNull()
        machine.seesAll = false
        await expect(findPostmaster(fake.directory)).rejects.toMatchObject({
          ...unknownStatus,
          message: expect.stringContaining('of one that is no more'),
        })
      },
    )

    // The kernel tells its boot by the wall clock. A server that ran when that was set forward seems to be older.
    test(
      'may be that of a living server although it seems older than the boot',
      containers,
      async () => {
        await using fake = new FakeDirectory()
        machine.seesAll = false
        fake.writePidFile({ pid: await deadPid(), startedAt: new Date('2001-01-01') })
        await expect(findPostmaster(fake.directory)).rejects.toMatchObject(unknownStatus)
      },
    )

    test(
      'is left to the next server if the shared memory that it names is here',
      containers,
      async () => {
        await using fake = new FakeDirectory()
        const key = inode(fake.directory.path)
        fake.writePidFile({ pid: await deadPid(), memory: `${key} 7` })
        machine.seesAll = false
        machine.segments = [{ key, id: 7, creator: 0, attached: 3, uid: 0 }]
        expect(await findPostmaster(fake.directory)).toBeNull()
        for (const other of [{ id: 8 }, { key: key + 1 }]) {
          machine.segments = [{ key, id: 7, creator: 0, attached: 3, uid: 0, ...other }]
          await expect(findPostmaster(fake.directory)).rejects.toMatchObject(unknownStatus)
        }
      },
    )

    test('is that of another directory if it came along with a copy', containers, async () => {
      await using fake = new FakeDirectory()
      const pid = await deadPid()
      machine.seesAll = false
      fake.writePidFile({ pid, dataDir: fake.beside('bin') })
      expect(await findPostmaster(fake.directory)).toBeNull()
      // By the key alone, if that tells: the path may mean another directory in a container.
      fake.writePidFile({ pid, memory: `${inode(fake.directory.path) + 16} 7` })
      expect(await findPostmaster(fake.directory)).toBeNull()
      const own = [
        { dataDir: fake.link('link') },
        { dataDir: '/nowhere/at/all' },
        { dataDir: fake.beside('bin'), memory: `${inode(fake.directory.path) + 15} 7` },
      ]
      for (const lines of own) {
        fake.writePidFile({ pid, ...lines })
        await expect(findPostmaster(fake.directory)).rejects.toMatchObject(unknownStatus)
      }
    })

    test(
      'goes by its path if the key of the shared memory comes from the port, before 13',
      containers,
      async () => {
        await using fake = new FakeDirectory('12')
        const pid = await deadPid()
        machine.seesAll = false
        fake.writePidFile({ pid, memory: '5432001 7' })
        await expect(findPostmaster(fake.directory)).rejects.toMatchObject(unknownStatus)
        fake.writePidFile({ pid, memory: '5432001 7', dataDir: fake.beside('bin') })
        expect(await findPostmaster(fake.directory)).toBeNull()
      },
    )

    test('is not believed while another server works in the directory', containers, async () => {
      await using fake = new FakeDirectory()
      const { pid } = await fake.postgres()
      fake.writePidFile({ pid: await deadPid() })
      await expect(findPostmaster(fake.directory)).rejects.toMatchObject({
        ...unknownStatus,
        message: expect.stringContaining(`(pid ${pid} here)`),
      })
    })

    test('is believed though children of the dead server still work there', async () => {
      await using fake = new FakeDirectory()
      await fake.postgres({ title: 'postgres: checkpointer' })
      fake.writePidFile({ pid: await deadPid() })
      expect(await findPostmaster(fake.directory)).toBeNull()
    })

    test('is over if howdah has recorded the dead process', async () => {
      await using fake = new FakeDirectory()
      const pid = await deadPid()
      machine.seesAll = false
      fake.writePidFile({ pid })
      fake.writeRecord({ ...currentProcess(), pid, startTime: '1' })
      expect(await findPostmaster(fake.directory)).toBeNull()
    })
  },
)

describe('a pid file that names nobody', () => {
  test.each(['', 'nonsense', '0', '01', '12345678901', '1.5', '-'])('holds %j', async (content) => {
    await using fake = new FakeDirectory()
    writeFileSync(fake.directory.pidFile, content)
    expect(await lookAtPidFile(fake.directory)).not.toHaveProperty('pid')
    expect(await findPostmaster(fake.directory)).toBeNull()
  })

  test('is not believed while a server works in the directory, or has its shared memory', async () => {
    await using fake = new FakeDirectory()
    writeFileSync(fake.directory.pidFile, '')
    const own = { key: inode(fake.directory.path), id: 7, creator: 0, attached: 1, uid: 0 }
    for (const other of [{ attached: 0 }, { key: own.key + 16 }]) {
      machine.segments = [{ ...own, ...other }]
      expect(await findPostmaster(fake.directory)).toBeNull()
    }
    machine.segments = [own]
    await expect(findPostmaster(fake.directory)).rejects.toMatchObject(unknownStatus)
    machine.segments = []
    await fake.postgres({ title: 'postgres: checkpointer' })
    expect(await findPostmaster(fake.directory)).toBeNull()
    const { pid } = await fake.postgres()
    await expect(findPostmaster(fake.directory)).rejects.toMatchObject({
      ...unknownStatus,
      message: expect.stringContaining(`kill -INT ${pid}`),
    })
  })
})

describe('shared memory with the key of a directory', () => {
  /** A directory with a pid file that names no process, and the segment with the directory's key. */
  function nameless(fake: FakeDirectory) {
    writeFileSync(fake.directory.pidFile, '')
    return { key: inode(fake.directory.path), id: 7, creator: 0, attached: 1, uid: 0 }
  }

  test(
    'is that of another if its maker has it attached, and works in another directory',
    containers,
    async () => {
      await using fake = new FakeDirectory()
      const segment = nameless(fake)
      const { pid } = await fake.postgres({ cwd: fake.beside('bin') })
      machine.segments = [{ ...segment, creator: pid }]
      machine.attached = [[pid, 7]]
      expect(await findPostmaster(fake.directory)).toBeNull()
      // The next key is that of a server which found the first taken.
      const next = { ...segment, key: segment.key + 1, id: 8 }
      machine.segments = [next, { ...segment, creator: pid }]
      await expect(findPostmaster(fake.directory)).rejects.toMatchObject(unknownStatus)
      machine.segments = [
        { ...segment, creator: pid },
        { ...next, creator: pid },
      ]
      machine.attached = [
        [pid, 7],
        [pid, 8],
      ]
      expect(await findPostmaster(fake.directory)).toBeNull()
    },
  )

  test.each([
    ['cannot be seen from here', async () => ({ creator: 0 })],
    ['has ended', async () => ({ creator: await deadPid() })],
    ['has not attached it: its pid is another process’s by now', async () => ({ id: 8 })],
    ['works who knows where', async () => ((machine.seesWhere = false), {})],
  ])('may be that of this one if its maker %s', async (_, change) => {
    await using fake = new FakeDirectory()
    const segment = nameless(fake)
    const { pid } = await fake.postgres({ cwd: fake.beside('bin') })
    machine.attached = [[pid, 7]]
    machine.segments = [{ ...segment, creator: pid, ...(await change()) }]
    await expect(findPostmaster(fake.directory)).rejects.toMatchObject(unknownStatus)
  })

  test.each([
    ['gone', []],
    ['attached by nobody', [{ attached: 0 }]],
  ])('is that of a server that has just ended elsewhere if it is %s by now', async (_, later) => {
    await using fake = new FakeDirectory()
    const segment = { ...nameless(fake), creator: await deadPid() }
    machine.segments = [segment]
    machine.segmentsLater = later.map((change) => ({ ...segment, ...change }))
    expect(await findPostmaster(fake.directory)).toBeNull()
  })

  test('is that of this one if its maker works here, whatever it calls itself', async () => {
    await using fake = new FakeDirectory()
    const segment = nameless(fake)
    const { pid } = await fake.postgres({ title: 'postgres: startup' })
    machine.segments = [{ ...segment, creator: pid }]
    machine.attached = [[pid, 7]]
    await expect(findPostmaster(fake.directory)).rejects.toMatchObject(unknownStatus)
  })
})

describe('a server without its files', () => {
  test('is the one that works in the directory, and whose parent does not', async () => {
    await using fake = new FakeDirectory()
    expect(await serverWorkingIn(fake.directory)).toBeNull()
    await fake.postgres({ title: 'postgres: checkpointer' })
    await fake.postgres({ cwd: fake.beside('bin') })
    expect(await serverWorkingIn(fake.directory)).toBeNull()
    const { identity } = await fake.forkingPostgres()
    expect(await serverWorkingIn(fake.directory)).toEqual(identity)
    await fake.postgres()
    expect(await serverWorkingIn(fake.directory)).toBeNull()
  })

  test('keeps its directory from being taken for none', async () => {
    await using fake = new FakeDirectory()
    rmSync(fake.directory.versionFile)
    await refuseServed(fake.directory)
    await fake.postgres({ title: 'postgres: checkpointer' })
    await refuseServed(fake.directory)
    const { pid } = await fake.postgres()
    const refusal = { ...unknownStatus, message: expect.stringContaining(`(pid ${pid})`) }
    await expect(refuseServed(fake.directory)).rejects.toMatchObject(refusal)
    fake.writePidFile({ pid })
    await expect(refuseServed(fake.directory)).rejects.toMatchObject(refusal)
    await refuseServed(fake.directory, true)
  })

  test(
    'makes its directory count as lost, as does what leaves it open whether one runs',
    containers,
    async () => {
      await using fake = new FakeDirectory()
      const { directory } = fake
      expect(await isLost(directory)).toBe(false)
      fake.writePidFile({ pid: await deadPid() })
      machine.seesAll = false
      expect(await isLost(directory)).toBe(true)
      rmSync(directory.pidFile)
      expect(await isLost(directory)).toBe(false)
      {
        // Somebody's server has it, and there is no record of whose.
        using _ = await acquire(directory.file('base'))
        expect(await isLost(directory)).toBe(true)
      }
      expect(await isLost(directory)).toBe(false)
      rmSync(directory.versionFile)
      expect(await isLost(directory)).toBe(true)
      writeFileSync(directory.wreck, '')
      expect(await isLost(directory)).toBe(false)
      rmSync(directory.path, { recursive: true })
      expect(await isLost(directory)).toBe(false)
    },
  )
})
