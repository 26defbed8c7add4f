// What a command takes above Node alone. What certificates Node is told to read at its start has no part in it.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startBare, stopBare } from '../../../../packages/cluster/bench/support/servers.mjs'
import { runContender } from '../../../../packages/cluster/bench/support/crowd.mjs'
import { Times } from '../../../../packages/cluster/bench/support/times.mjs'
import { row } from './figures.mjs'
import { inside, roundIn } from './place.mjs'

const bin = fileURLToPath(new URL('../../dist/bin.cjs', import.meta.url))

export async function commands({ place, postgres, rounds }) {
  const { bindir, owner, template, asServer } = postgres
  const times = new Times()
  const project = inside(place.disk, 'project')
  const env = { ...process.env, PATH: `${bindir}:${process.env.PATH}` }
  delete env.NODE_EXTRA_CA_CERTS
  const node = (...args) => {
    const options = { cwd: project, env, encoding: 'utf8' }
    const { status, stderr } = spawnSync(process.execPath, args, options)
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
  }
  const howdah = (...args) => node(bin, ...args)
  const time = async (name, ...args) => await times.time(name, () => howdah(...args))
  const bare = async () => {
    const server = { dataDir: template, bindir, asServer }
    await times.time('bare, stopped', async () => await stopBare(await startBare(server)))
    const request = { bindir, owner, template, home: roundIn(place.disk) }
    const { copy, start, stop } = await runContender({ name: 'floor', request })
    times.note('bare, new', copy + start + stop)
  }
  const ways = [
    async () => await times.time('node', () => node('-e', '0')),
    async () => await time('running', 'exec', '--', 'true'),
    async () => await time('status', 'status'),
    async () => {
      howdah('stop')
      await time('stopped', 'exec', '--', 'true')
      howdah('start')
    },
    async () => {
      const data = join(roundIn(place.disk), 'new')
      await time('new', 'exec', '-D', data, '--destroy', '--', 'true')
    },
    bare,
  ]
  howdah('start')
  try {
    for (const way of ways) await way()
    times.clear()
    for (let round = 0; round < rounds; round += 1) for (const way of ways) await way()
  } finally {
    howdah('destroy', '--force', '--no-save')
  }
  const alone = times.median('node')
  const above = (name) => times.median(name) - alone
  const least = (name) => ({ 'bare start and stop': times.median(name) })
  return [
    row('`howdah exec -- true` above Node alone, running', {
      before: 61,
      now: above('running'),
      beside: { 'Node alone': alone },
      goal: 30,
    }),
    row('the same, stopped', {
      before: 145,
      now: above('stopped'),
      beside: least('bare, stopped'),
      goal: 70,
    }),
    row('the same, new with `--destroy`, on disk', {
      before: 366,
      now: above('new'),
      beside: { 'bare copy, start and stop': times.median('bare, new') },
      goal: 120,
    }),
    row('`howdah status` above Node alone, running', {
      before: 119,
      now: above('status'),
      beside: {},
      goal: 40,
    }),
  ]
}
