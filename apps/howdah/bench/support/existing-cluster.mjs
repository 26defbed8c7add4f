// Start and stop of an existing cluster on disk.
import {
  bare,
  pgCtl,
  shared,
  started,
} from '../../../../packages/cluster/bench/support/servers.mjs'
import { Times } from '../../../../packages/cluster/bench/support/times.mjs'
import { row } from './figures.mjs'

export async function existingCluster({ postgres, rounds }) {
  const { cluster, bindir, asServer } = postgres
  const server = { dataDir: cluster.dataDir, bindir, asServer }
  const times = new Times()
  const ways = [
    async () => await bare(server, times),
    async () => await pgCtl(server, times),
    async () => await started(cluster, times),
    async () => await shared(cluster, times),
  ]
  for (const way of ways) await way()
  times.clear()
  for (let round = 0; round < rounds; round += 1) {
    for (let turn = 0; turn < ways.length; turn += 1) await ways[(round + turn) % ways.length]()
  }
  const figures = (what) => ({
    now: times.median(`${what} howdah`),
    beside: {
      bare: times.median(`${what} bare spawn`),
      'pg_ctl -w': times.median(`${what} pg_ctl`),
    },
    goal: '≤ 1.1 × bare',
  })
  return [
    row('start of an existing cluster', { before: 33, ...figures('start') }),
    row('stop of an existing cluster', { before: 17, ...figures('stop') }),
  ]
}
