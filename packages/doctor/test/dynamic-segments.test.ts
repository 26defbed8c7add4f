import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { linuxOnly, needsProgram, temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { abandonedSegments } from '@howdah/data-directory'
import { Cluster } from '@howdah/cluster'
import { newest } from '@howdah/postgres-fixtures'

const memory = linuxOnly('/dev/shm, and /proc, which tells who maps a file')
const isRoot = process.geteuid?.() === 0

/** What is found, or why nothing can be found. */
const script = `
import { abandonedSegments } from '@howdah/data-directory'
const found = await abandonedSegments('/dev/shm').catch(({ code, message }) => ({ code, message }))
console.log(JSON.stringify(found))
`

/** Has root look for abandoned segments with few capabilities, as in a container. */
async function lookWith(...capabilities: readonly string[]): Promise<unknown> {
  const few = ['-all', ...capabilities.map((name) => `+${name}`)].join(',')
  const node = [process.execPath, '--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)(
    'setpriv',
    ['--bounding-set', few, '--inh-caps', '-all', ...node],
    { cwd: import.meta.dirname },
  )
  return JSON.parse(stdout)
}

describe('the shared memory of a server that runs is never abandoned', memory, () => {
  it('to a user who may look into it', async () => {
    await using running = await run()
    expect(abandonedOf(running, await abandonedSegments('/dev/shm'))).toEqual([])
  })

  const setpriv = needsProgram('setpriv')
  it.runIf(isRoot && !setpriv.skip)(
    'to root who may not look into the processes of others, but may ask as them (needs root and setpriv)',
    async () => {
      await using running = await run()
      const found = (await lookWith('dac_override', 'setuid', 'setgid')) as { path: string }[]
      expect(abandonedOf(running, found)).toEqual([])
    },
  )

  it.runIf(isRoot && !setpriv.skip)(
    'to root who may do neither, and who is told so (needs root and setpriv)',
    async () => {
      await using _ = await run()
      expect(await lookWith('dac_override')).toEqual({
        code: 'ERR_CLUSTER_UNKNOWN_STATUS',
        message: expect.stringMatching(
          /: PostgreSQL's process \d+ cannot be looked into \(EACCES\); /,
        ),
      })
    },
  )
})

interface Running extends AsyncDisposable {
  /** The paths of the segments that the server maps. */
  readonly own: readonly string[]
}

async function run(): Promise<Running> {
  const home = temporaryDirectory()
  const cluster = new Cluster(home.file('data'), { strategy: newest.strategy })
  const session = await cluster.run()
  const status = await cluster.status()
  const maps = readFileSync(`/proc/${status.state === 'running' ? status.pid : 0}/maps`, 'utf8')
  const own = maps.match(/\/dev\/shm\/PostgreSQL\.\d+/g) ?? []
  expect(own.length).toBeGreaterThan(0)
  return {
    own,
    async [Symbol.asyncDispose]() {
      await session.leave()
      home[Symbol.dispose]()
    },
  }
}

function abandonedOf({ own }: Running, found: readonly { readonly path: string }[]): string[] {
  const abandoned = new Set(found.map(({ path }) => path))
  return own.filter((path) => abandoned.has(path))
}
