// Whether ARCHITECTURE.md tells the truth: its map has every package, each stands only on packages above it, and every file that it
// names is there. Prints what is wrong, and ends with 1 then.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const text = readFileSync('ARCHITECTURE.md', 'utf8')
const faults = []

/** The names in the first column of the map, in order. */
const map = [...section('The map').matchAll(/^\| `([^`]+)` \|/gm)].map(([, name]) => name)

for (const name of packages()) {
  const { private: isPrivate = false, dependencies = {} } = JSON.parse(
    readFileSync(join(directoryOf(name), 'package.json'), 'utf8'),
  )
  if (!text.includes(`\`${name}\``)) faults.push(`it does not name ${name}`)
  if (!map.includes(name)) {
    if (!isPrivate) faults.push(`its map lacks ${name}`)
    continue
  }
  for (const below of Object.keys(dependencies).filter((one) => one.startsWith('@howdah/'))) {
    const other = below.slice('@howdah/'.length)
    if (name.startsWith('apps/') || map.indexOf(other) < map.indexOf(name)) continue
    faults.push(`its map has ${other}, on which ${name} stands, below it`)
  }
}

for (const title of ['One call followed through', 'To change X, open Y']) {
  let before = ''
  for (const [, path] of section(title).matchAll(/`([\w./-]+(?:\.(?:c|json|mjs|pl|ts)|\/))`/g)) {
    // Either a whole path, with or without `packages/`, or a name beside the path before.
    const found = [join('packages', path), path, join(before, path)].find((one) => existsSync(one))
    if (found === undefined) faults.push(`"${title}" names ${path}, which is not there`)
    else before = dirname(found)
  }
}

for (const fault of faults) console.error(`ARCHITECTURE.md: ${fault}`)
process.exitCode = faults.length === 0 ? 0 : 1

function section(title) {
  const [, rest = ''] = text.split(`\n## ${title}`)
  return rest.split('\n## ')[0]
}

function packages() {
  const apps = readdirSync('apps').map((name) => `apps/${name}`)
  return [...readdirSync('packages'), ...apps].filter((name) =>
    existsSync(join(directoryOf(name), 'package.json')),
  )
}

function directoryOf(name) {
  return name.startsWith('apps/') ? name : join('packages', name)
}
