// Tries what a new user does: installs every package, and the command, from a registry on loopback, with the package
// managers of today, without a compiler, make or Python, and uses them. The results become the table in the README;
// with `--quick`, which tries each package manager on one Node, they do not. Other words choose rows by their titles.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { attempt } from './installs/attempt.mjs'
import { librariesOf } from './installs/busybox-root.mjs'
import { casesOf, nodes } from './installs/cases.mjs'
import { packAll } from './installs/pack-all.mjs'
import { Registry } from './installs/registry.mjs'
import { Surroundings } from './installs/surroundings.mjs'
import { tableOf } from './installs/table.mjs'
import { Tools } from './installs/tools.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const words = process.argv.slice(2)
const quick = words.includes('--quick')
const chosen = words.filter((word) => !word.startsWith('-'))
if (`${process.platform}-${process.arch}` !== 'linux-x64' || process.getuid() !== 0) {
  console.log('installations are tried as root, on Linux x64: skipped')
  process.exit(0)
}

const cache = join(root, 'node_modules/.cache/try-installs')
const tools = new Tools(join(cache, 'tools'))
const scratch = mkdtempSync(join(tmpdir(), 'howdah-installs-'))
// Servers run as another user, who has to get through.
chmodSync(scratch, 0o755)
let registry
let surroundings
const results = []
let tried = []
try {
  mkdirSync(join(scratch, 'tarballs'))
  const packed = packAll(root, join(scratch, 'tarballs'))
  registry = await Registry.start(tools, join(cache, 'registry'))
  for (const one of packed) await registry.publish(one)
  surroundings = await Surroundings.prepare(scratch, registry.port)
  for (const shortcoming of surroundings.shortcomings) console.log(shortcoming)
  const homes = join(scratch, 'homes')
  mkdirSync(homes)
  const names = packed
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('@howdah/postgres-'))
  const context = { registry, surroundings, tools, homes, names }
  const cases = casesOf({ quick }).filter(
    ({ row }) => chosen.length === 0 || chosen.some((word) => row.startsWith(word)),
  )
  if (cases.some(({ system }) => system === 'busybox')) {
    const node = join(tools.unpacked(nodes[24]), 'bin/node')
    surroundings.addSystem('busybox', join(scratch, 'busybox'), {
      libraries: [...librariesOf(node), ...librariesOf(process.execPath)],
      bound: [homes, join(cache, 'tools')],
    })
  }
  // Ctrl-C leaves out what has not begun yet.
  const stop = new AbortController()
  process.on('SIGINT', () => stop.abort())
  tried = cases
  // Two at a time, and each package manager once before any is tried again.
  const nth = (one) => cases.filter(({ row }) => row === one.row).indexOf(one)
  const queue = cases.toSorted((left, right) => nth(left) - nth(right))
  const worker = async () => {
    for (let one = queue.shift(); one !== undefined && !stop.signal.aborted; one = queue.shift())
      await report(one)
  }
  const report = async (one) => {
    const started = performance.now()
    const problems = await attempt(one, context)
    results.push({ ...one, problems })
    const seconds = ((performance.now() - started) / 1000).toFixed(0)
    console.log(
      `${problems.length === 0 ? 'works' : 'FAILS'}  ${one.row}, ${one.column} (${seconds} s)`,
    )
    for (const problem of problems) console.log(problem.replaceAll(/^/gm, '    '))
  }
  await Promise.all([worker(), worker()])
} finally {
  await surroundings?.leave()
  await registry?.stop()
  rmSync(scratch, { recursive: true, force: true })
}

if (!quick && chosen.length === 0) {
  const readme = join(root, 'README.md')
  const text = readFileSync(readme, 'utf8')
  const [start, end] = ['<!-- installs -->\n', '<!-- /installs -->']
  const [before, rest] = text.split(start)
  const [, after] = rest.split(end)
  writeFileSync(readme, `${before}${start}${tableOf(tried, results)}${end}${after}`)
}
const failed = results.filter(({ problems }) => problems.length > 0).length
console.log(`${results.length - failed} ways to install work, ${failed} do not`)
process.exitCode = failed === 0 ? 0 : 1
