import { type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { linuxOnly, temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Cluster } from '@howdah/cluster'
import { explainedByLog } from '@howdah/data-directory'
import { newest } from '@howdah/postgres-fixtures'

let home: TemporaryDirectory
let cluster: Cluster

beforeEach(() => {
  home = temporaryDirectory()
  cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
})

afterEach(async () => {
  await cluster.stop({ force: true })
  home[Symbol.dispose]()
})

interface Attempt {
  readonly operation?: 'run' | 'create' | 'destroy' | 'temporary'
  readonly dataDir?: string
  /** What a shell does first, in the same process. */
  readonly before?: string
  readonly command?: readonly string[]
}

/** How it goes in a process of its own; `null` if Node itself did not come so far. */
async function attempt(
  { operation = 'run', dataDir = cluster.dataDir, before = ':', command = [] }: Attempt,
  options: SpawnOptions = {},
): Promise<{ done?: true; code?: string; message?: string } | null> {
  const script = fileURLToPath(new URL('./support/attempt.mjs', import.meta.url))
  const request = JSON.stringify({ operation, dataDir, postgres: newest.place, options: {} })
  const inShell = ['sh', '-c', `${before}; exec "$@"`, 'sh', process.execPath, script, request]
  const [program = 'sh', ...args] = [...command, ...inShell]
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  const [said] = await Promise.all([
    text(child.stdout as Readable),
    text(child.stderr as Readable),
    once(child, 'close'),
  ])
  return said === '' ? null : (JSON.parse(said) as { done?: true })
}

const unshare = ['unshare', '-m', '--propagation', 'private']
const canMount = spawnSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0

describe(
  'if a process may open few files, or write little',
  linuxOnly('all the limits that are set here'),
  () => {
    it('the error names the limit, or there is no error', { timeout: 180_000 }, async () => {
      await cluster.create()
      const answers = new Map<number, unknown>()
      for (const files of [20, 26, 29, 30, 31, 32, 34, 36, 38, 40, 44, 200]) {
        answers.set(files, await attempt({ before: `ulimit -n ${files}` }))
      }
      expect(answers.get(200)).toEqual({ done: true })
      // With too few, Node cannot even load the modules; with some more, all goes well.
      const refusals = [...answers.values()].filter(
        (answer) => answer !== null && !('done' in (answer as object)),
      )
      expect(refusals.length).toBeGreaterThan(0)
      for (const refusal of refusals) {
        expect(refusal).toEqual({
          code: 'ERR_CLUSTER_LIMIT',
          message: expect.stringMatching(
            / files \(EMFILE\), for \/.*; raise the limit, as with: ulimit -n/,
          ),
        })
      }
    })

    it('the error names a limit of the length of files', async () => {
      expect(await attempt({ operation: 'create', before: 'ulimit -f 8' })).toEqual({
        code: 'ERR_CLUSTER_LIMIT',
        message: expect.stringMatching(/EFBIG.*; raise the limit, as with: ulimit -f unlimited/),
      })
    })

    it('the error names a limit of processes because of which a server could not start', () => {
      const log =
        '2026-11-29 03:04:11.412 UTC [18287] LOG:  could not fork startup process: Resource temporarily unavailable\n'
      expect(explainedByLog('/data', log, new Error('it ended'))).toMatchObject({
        code: 'ERR_CLUSTER_LIMIT',
        message: expect.stringContaining('raise the limit: ulimit -u'),
      })
    })

    it('descriptors that were opened before the limit was lowered do no harm', async () => {
      const stdio = Array.from({ length: 301 }, () => 'ignore' as const)
      expect(
        await attempt({ before: 'ulimit -n 256' }, { stdio: ['ignore', 'pipe', 'pipe', ...stdio] }),
      ).toEqual({ done: true })
    })
  },
)

describe(
  'if the temporary directory',
  linuxOnly('short links to sockets below the temporary directory'),
  () => {
    it('is missing, a long path can still be reached', async () => {
      const long = home.file('x'.repeat(120))
      mkdirSync(long)
      const env = { ...process.env, TMPDIR: home.file('nowhere') }
      expect(await attempt({ dataDir: `${long}/data` }, { env })).toEqual({ done: true })
    })

    it('is a file, temporary clusters give an error that says where they could be', async () => {
      const env = { ...process.env, HOWDAH_TEMPORARY_DIR: '/etc/passwd' }
      expect(await attempt({ operation: 'temporary' }, { env })).toEqual({
        code: 'ERR_CLUSTER_TEMPORARY_PLACE',
        message: expect.stringMatching(
          /ENOTDIR.*; set HOWDAH_TEMPORARY_DIR to a directory that can/,
        ),
      })
    })
  },
)

// As an ordinary user, or in most containers, nothing can be mounted.
describe.runIf(canMount)('in a mount namespace', () => {
  const readOnly = (path: string) =>
    `mount --bind ${path} ${path}; mount -o remount,ro,bind ${path}`

  it.each(['run', 'destroy'] as const)('a read-only cluster is named by %s', async (operation) => {
    await cluster.create()
    const before = readOnly(cluster.dataDir)
    expect(await attempt({ operation, before, command: unshare })).toEqual({
      code: 'ERR_CLUSTER_READ_ONLY',
      message: expect.stringMatching(
        new RegExp(
          `^cannot write ${cluster.dataDir}(/\\S+)?: its file system is read-only; use a place`,
        ),
      ),
    })
    expect(await cluster.exists()).toBe(true)
  })

  it('a new cluster on a read-only file system is refused', async () => {
    const dataDir = home.file('some', 'new')
    const before = readOnly(home.path)
    for (const operation of ['run', 'create'] as const) {
      expect(await attempt({ operation, before, dataDir, command: unshare })).toMatchObject({
        code: 'ERR_CLUSTER_READ_ONLY',
      })
    }
  })

  it('without /proc, a cluster can be used, or the error names /proc', async () => {
    await cluster.create()
    const before = 'mount -t tmpfs none /proc'
    const missing = { code: 'ERR_CLUSTER_NO_PROC', message: expect.stringMatching(/mount it with/) }
    // Of the PostgreSQLs that bring their libraries, none runs.
    const expected = 'package' in newest.place ? missing : { done: true }
    expect(await attempt({ before, command: unshare })).toEqual(expected)
  })
})
