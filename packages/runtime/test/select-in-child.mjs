// Chooses the package's PostgreSQL in a process of its own: `node select-in-child.mjs PACKAGE CACHE`.
import { bundled } from '../dist/index.js'

const [path, cacheDir] = process.argv.slice(2)
process.send('ready')
const runtime = await bundled({
  packages: [path],
  cacheDir,
  serverUser: { uid: 65_534, gid: 65_534 },
}).fallback()
process.send(runtime.bindir, () => process.disconnect())
