// A process that upgrades a cluster. Its argument is a JSON object: the data directory, where PostgreSQLs are (in npm packages or in
// directories of programs), and which reports, or all of which steps, it is to pass: it is killed at the first other one. It says each
// report, a line each, and "done" at the end.
import { writeSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { Cluster } from '@howdah/cluster'
import { bundled, chain, onPath } from '@howdah/runtime'
import { upgradeCluster } from '@howdah/upgrade'

// To optimize pg_dump, which is WebAssembly, would take longer than its work here.
setFlagsFromString('--liftoff-only')

const { dataDir, packages, bindirs = [], to, passed } = JSON.parse(process.argv[2])
const strategy =
  packages === undefined
    ? chain(...bindirs.map((bindir) => onPath([bindir])))
    : bundled({ packages })
const cluster = new Cluster(dataDir, { strategy })
await upgradeCluster(cluster, {
  to,
  onProgress({ step, database }) {
    const report = `${step} ${database ?? ''}`
    writeSync(1, `${report}\n`)
    if (passed !== undefined && !passed.includes(step) && !passed.includes(report))
      process.kill(process.pid, 'SIGKILL')
  },
})
writeSync(1, 'done\n')
