// `publish.mjs DIRECTORY`: publishes the tarballs in a directory to npm's configured registry, those first that others depend on, and
// leaves out what is there. So it can be run again if it was interrupted.
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { manifestIn } from '../installs/pack-all.mjs'

const [directory] = process.argv.slice(2)
const waiting = new Map(
  readdirSync(directory)
    .filter((name) => name.endsWith('.tgz'))
    .map((name) => join(directory, name))
    .map((tarball) => [manifestIn(tarball), tarball])
    .map(([manifest, tarball]) => [manifest.name, { manifest, tarball }]),
)
while (waiting.size > 0) {
  const next = [...waiting.values()].filter(({ manifest }) => !dependencies(manifest).some(waits))
  if (next.length === 0)
    throw new Error(`these depend on each other: ${[...waiting.keys()].join(', ')}`)
  for (const { manifest, tarball } of next) {
    publish(manifest, tarball)
    waiting.delete(manifest.name)
  }
}

function dependencies({ dependencies: needed, optionalDependencies: optional }) {
  return Object.keys({ ...needed, ...optional })
}

function waits(name) {
  return waiting.has(name)
}

function publish({ name, version }, tarball) {
  const spec = `${name}@${version}`
  const known = spawnSync('npm', ['view', spec, 'version'], { encoding: 'utf8' })
  if (known.status === 0 && known.stdout.trim() === version) {
    console.log(`${spec} is there`)
    return
  }
  execFileSync('npm', ['publish', tarball, '--access', 'public', '--loglevel', 'error'])
  console.log(`${spec} is published`)
}
