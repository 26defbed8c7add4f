// `pack.mjs DIRECTORY`: packs every publishable package into a directory, and leaves out the PostgreSQLs of other platforms, which
// npm would refuse to install. pnpm has to be on PATH.
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packAll } from '../installs/pack-all.mjs'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const platform = `${process.platform}-${process.arch}`
for (const { name, tarball } of packAll(root, process.argv[2])) {
  const isOthers = name.startsWith('@howdah/postgres-') && name !== `@howdah/postgres-${platform}`
  if (isOthers) rmSync(tarball)
  else console.log(tarball)
}
