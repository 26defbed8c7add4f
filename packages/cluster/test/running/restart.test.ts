// @vitest-environment-options { "alone": "running/restart" }
import { writeFileSync } from 'node:fs'
import type * as Coordinate from '@howdah/coordinate'
import { type ClusterUser, DataDirectory } from '@howdah/data-directory'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import type * as KnownClusters from '@howdah/known-clusters'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type * as LeftOpen from '../../src/connecting/left-open.ts'
import { type Alone, restartAlone, takeAlone } from '../../src/running/restart.ts'
import type { LaunchOptions } from '../../src/subject.ts'
import type { ConnectedClient } from '../../src/without-driver/connected-clients.ts'

/** Who is connected, at once and after a moment, and who uses the server. */
const scene = vi.hoisted(() => ({
  clients: [] as ConnectedClient[],
  lasting: [] as ConnectedClient[],
  users: [] as ClusterUser[],
  ownership: 'ours' as Coordinate.Ownership,
}))

vi.mock('../../src/connecting/left-open.ts', async (original) => ({
  ...(await original<typeof LeftOpen>()),
  clientsOf: async () => scene.clients,
  lastingClients: async () => scene.lasting,
}))
vi.mock('@howdah/known-clusters', async (original) => ({
  ...(await original<typeof KnownClusters>()),
  knownUsersOf: async () => scene.users,
}))
vi.mock('@howdah/coordinate', async (original) => ({
  ...(await original<typeof Coordinate>()),
  ownership: async () => scene.ownership,
}))

let home: TemporaryDirectory
let directory: DataDirectory

beforeEach(() => {
  home = temporaryDirectory()
  directory = new DataDirectory(home.path)
  Object.assign(scene, { clients: [], lasting: [], users: [], ownership: 'ours' })
  writeFileSync(
    directory.file('postmaster.opts'),
    `/bin/postgres "-D" "${home.path}" "-c" "work_mem=8MB"\n`,
  )
})
afterEach(() => home[Symbol.dispose]())

const client = (pid: number, application: string): ConnectedClient => {
  return { pid, application, user: 'me', database: 'app', state: 'idle', query: '' }
}
const us = { pid: process.pid, command: 'node' }
const other = { pid: 4_000_001, command: 'psql' }
const exclusive = { is: 'exclusive' }

/** Takes the server alone; `tries` counts the attempts to get it. */
async function take(got: object | null, ours?: ReadonlySet<number>) {
  let tries = 0
  const tryExclusive = async () => {
    tries++
    return got
  }
  const shared = { paths: {}, subject: {}, tryExclusive }
  const taking = takeAlone(
    directory,
    shared as unknown as Coordinate.Shared<LaunchOptions>,
    {},
    'restart',
    ours,
  )
  const outcome = await taking.catch((error: unknown) => error)
  return { outcome, tries }
}

describe('a server is restarted', () => {
  it.each(['pinned', 'ours'] as const)(
    'if nobody else uses it: as it was started, and %s as before',
    async (ownership) => {
      scene.ownership = ownership
      scene.users = [us]
      const { outcome } = await take(exclusive)
      expect(outcome).toMatchObject({
        exclusive,
        was: { settings: { work_mem: '8MB' } },
        pinned: ownership === 'pinned',
      })
    },
  )

  it('under our own clients', async () => {
    scene.clients = [client(7, 'app'), client(8, 'howdah')]
    scene.lasting = scene.clients
    // Others use the server, too; but whether they do is asked only if clients are not ours.
    scene.users = [us, other]
    expect((await take(exclusive, new Set([7, 8]))).outcome).toMatchObject({ exclusive })
  })

  it('under what a killed session has left, and not under a client that is nobody’s', async () => {
    scene.clients = [client(8, 'howdah')]
    // A client that connects meanwhile is not looked at.
    scene.lasting = [client(9, 'psql')]
    expect((await take(exclusive)).outcome).toMatchObject({ exclusive })
    scene.clients = [client(8, 'howdah'), client(9, 'psql')]
    scene.lasting = scene.clients
    const { outcome, tries } = await take(exclusive)
    expect(outcome).toMatchObject({
      code: 'ERR_CLUSTER_IN_USE',
      users: [{ pid: 9, command: 'the client "psql" as "me" on database "app"' }],
    })
    expect(tries).toBe(0)
  })

  it('under a client that ends in a moment, whatever a session has left', async () => {
    scene.clients = [client(7, 'app'), client(8, 'howdah'), client(9, 'psql')]
    scene.lasting = [client(7, 'app'), client(8, 'howdah')]
    expect((await take(exclusive, new Set([7]))).outcome).toMatchObject({ exclusive })
  })

  it('not under the clients of others who use it: those are named', async () => {
    scene.clients = [client(8, 'howdah')]
    scene.users = [us, other]
    const { outcome, tries } = await take(exclusive)
    expect(outcome).toMatchObject({ code: 'ERR_CLUSTER_IN_USE', users: [other] })
    expect(tries).toBe(0)
  })

  it('not while others use it without being connected: those are named', async () => {
    scene.users = [us, other]
    const { outcome, tries } = await take(null)
    expect(outcome).toMatchObject({
      code: 'ERR_CLUSTER_IN_USE',
      users: [other],
      message: expect.stringContaining('cannot restart'),
    })
    expect(tries).toBe(1)
  })
})

describe('a restart', () => {
  const failed = new Error('it does not come up')
  const calls: unknown[] = []
  const options = (start: LaunchOptions) => ({ start, timeout: 1 })

  /** Our server alone, whose restart and whose start after it may fail. */
  function alone(was: Alone['was'], pinned: boolean, failures: readonly string[] = []): Alone {
    calls.length = 0
    const does = (call: string) => async (given: unknown) => {
      calls.push([call, given])
      if (failures.includes(call)) throw failed
    }
    const handle = {
      restart: does('restart'),
      start: does('start'),
      share: (given: unknown) => {
        calls.push(['share', given])
        return 'shared'
      },
      [Symbol.asyncDispose]: async () => void calls.push('disposed'),
    }
    return { exclusive: handle as unknown as Alone['exclusive'], was, pinned }
  }
  const was = { settings: { work_mem: '8MB', Log_Statement: 'all' }, tcp: 5433 }

  it('is one as before, with what is added, and shares the server again', async () => {
    const added = options({ settings: { log_statement: 'none', jit: 'off' }, timeout: 5 })
    expect(await restartAlone(alone(was, false), added)).toBe('shared')
    const start = {
      settings: { work_mem: '8MB', log_statement: 'none', jit: 'off' },
      timeout: 5,
      tcp: 5433,
    }
    expect(calls).toEqual([['restart', { ...added, start }], ['share', added], 'disposed'])
  })

  it.each([
    ['keeps its port if none is asked for', 5433, undefined, 5433],
    ['keeps its port if any will do', 5433, true, 5433],
    ['gets another port', 5433, 5434, 5434],
    ['gets a free port if it has none', undefined, true, true],
    ['has none if it had none', undefined, undefined, undefined],
  ])('%s', async (_, before, tcp, after) => {
    const given = options(tcp === undefined ? {} : { tcp })
    await restartAlone(alone({ settings: {}, tcp: before }, false), given)
    expect(calls[0]).toEqual(['restart', { ...given, start: { settings: {}, tcp: after } }])
  })

  it('that fails leaves a server that was pinned running as before, and no other', async () => {
    const given = options({ settings: { jit: 'off' } })
    const restart = restartAlone(alone(was, true, ['restart', 'start']), given)
    await expect(restart).rejects.toBe(failed)
    expect(calls.slice(1)).toEqual([['start', { ...given, start: was, pinned: true }], 'disposed'])
    await expect(restartAlone(alone(was, false, ['restart']), given)).rejects.toBe(failed)
    expect(calls.slice(1)).toEqual(['disposed'])
  })
})
