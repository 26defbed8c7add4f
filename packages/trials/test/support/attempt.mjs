// A process that does one thing to a cluster and says in JSON how it went: `{ done }`, or `{ code, message }`.
import { writeSync } from 'node:fs'
import { Cluster, temporary } from '@howdah/cluster'
import { bundled, onPath } from '@howdah/runtime'

const { operation, dataDir, postgres, options } = JSON.parse(process.argv[2])
const strategy =
  'package' in postgres ? bundled({ packages: [postgres.package] }) : onPath([postgres.bindir])

try {
  const made =
    operation === 'temporary'
      ? await temporary({ strategy, ...options })
      : await new Cluster(dataDir, { strategy })[operation](options)
  await made?.leave?.()
  writeSync(1, JSON.stringify({ done: true }))
} catch ({ code, message }) {
  writeSync(1, JSON.stringify({ code, message }))
}
