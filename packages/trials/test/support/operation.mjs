// A process that does one thing to a cluster, to be killed on the way. Says "begun", and at the end "done".
import { backUpCluster, cloneCluster, restoreCluster } from '@howdah/backup'
import { Cluster } from '@howdah/cluster'
import { bundled, onPath } from '@howdah/runtime'

const { operation, dataDir, postgres, options } = JSON.parse(process.argv[2])
const strategy =
  'package' in postgres ? bundled({ packages: [postgres.package] }) : onPath([postgres.bindir])
const cluster = new Cluster(dataDir, { strategy })

const ofBackups = { backup: backUpCluster, clone: cloneCluster, restore: restoreCluster }

console.log('begun')
if (operation in ofBackups) await ofBackups[operation](cluster, options)
else await cluster[operation](options)
console.log('done')
