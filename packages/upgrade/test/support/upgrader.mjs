// A process that upgrades a cluster. Its argument is a JSON object: the data directory, where PostgreSQLs are (in npm packages or in
// directories of programs), and at which of its reports it is to be killed. It says each report, a line each, and "done" at the end.
import { writeSync } from 'node:fs'
import { Cluster } from '@howdah/cluster'
import { bundled, chain, onPath } from '@howdah/runtime'
import { upgradeCluster } from '@howdah/upgrade'

const { dataDir, packages, bindirs = [], to, killAt = 0 } = JSON.parse(process.argv[2])
const strategy =
  packages === undefined
    ? chain(...bindirs.map((bindir) => onPath([bindir])))
    : bundled({ packages })
const cluster = new Cluster(dataDir, { strategy })
let reports = 0
await upgradeCluster(cluster, {
  to,
  onProgress({ step, database }) {
    writeSync(1, `${step} ${database ?? ''}\n`)
    reports += 1
    if (reports === killAt) process.kill(process.pid, 'SIGKILL')
  },
})
writeSync(1, 'done\n')
