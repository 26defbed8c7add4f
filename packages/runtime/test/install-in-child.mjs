// Installs a PostgreSQL in a process of its own, and tells how far it is: `node install-in-child.mjs VERSION CACHE`.
import { installRuntime } from '../dist/index.js'

const [version, cacheDir] = process.argv.slice(2)
const { bindir } = await installRuntime(version, {
  cacheDir,
  onProgress: (progress) => process.send(progress),
})
process.send({ bindir }, () => process.disconnect())
