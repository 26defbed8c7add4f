// Runs the suites of real projects on a plain server, and on a temporary one of howdah's in its place, and prints how they compare:
//
//   pnpm build && pnpm try:projects [NAME…]
//
// They are cloned into a temporary directory, and installed from the npm registry. HOWDAH_PROJECTS=DIR has git repositories or whole
// checkouts of them instead, as DIR/NAME; a checkout that is installed is used as it is. Nothing of them comes into this repository.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pathWithNode } from './projects/path-with-node.mjs'
import { plainServer } from './projects/plain-server.mjs'
import { projects } from './projects/projects.mjs'
import { source } from './projects/source.mjs'
import { tally } from './projects/tally.mjs'
import { environmentWithout } from './environment-without.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const chosen = process.argv.slice(2)
const howdah = join(root, 'apps/howdah/dist/bin.cjs')
const into = mkdtempSync(join(tmpdir(), 'howdah-projects-'))
const installed = execFileSync(process.execPath, [howdah, 'runtimes', '--json'], {
  encoding: 'utf8',
})
const { bindir } = JSON.parse(installed).find(({ used }) => used)
const rows = []
try {
  for (const project of projects)
    if (chosen.length === 0 || chosen.includes(project.name)) rows.push(await attempt(project))
} finally {
  rmSync(into, { recursive: true, force: true })
}
printTable(rows)
process.exitCode = rows.some(({ plain, here }) => here !== undefined && here.passed < plain?.passed)
  ? 1
  : 0

async function attempt(project) {
  const { name } = project
  try {
    const PATH = pathWithNode(project.node, into)
    const { directory, isInstalled } = source(project, { from: process.env.HOWDAH_PROJECTS, into })
    if (!isInstalled) {
      console.log(`${name}: installing`)
      execFileSync('sh', ['-c', project.install], {
        cwd: directory,
        env: { ...environment(), PATH },
        stdio: 'pipe',
      })
    }
    return { name, lines: project.edit?.lines ?? 0, ...(await compare(project, directory, PATH)) }
  } catch (error) {
    const said = `${error.stdout ?? ''}${error.stderr ?? ''}`.trim() || error.message
    const words = said.split('\n')
    return { name, reason: words.at(-1) }
  }
}

async function compare(project, directory, PATH) {
  const { as, edit, directory: part = '.' } = project
  const env = { PATH, ...project.env }
  const cwd = join(directory, part)
  const tests = ['sh', '-c', project.tests]
  if (as === undefined)
    return { here: await runEdited(edit, directory, () => run(project.name, tests, cwd, env)) }
  const server = await plainServer(bindir, project, cwd)
  let plain
  try {
    plain = await run(`${project.name}, plain`, tests, cwd, { ...env, ...variablesOf(as) })
  } finally {
    await server.end()
  }
  const { trust = false, init, settings = {}, name } = project
  const options = [
    ...(trust ? ['--trust'] : []),
    ...(init === undefined ? [] : ['--init', init]),
    ...Object.entries(settings).flatMap(([setting, value]) => ['--set', `${setting}=${value}`]),
  ]
  const command = [
    howdah,
    'exec',
    '--temporary',
    '--runtime',
    bindir,
    '--as',
    as,
    ...options,
    '--',
    ...tests,
  ]
  return { plain, here: await run(`${name}, howdah`, [process.execPath, ...command], cwd, env) }
}

/** With one import changed as long as it runs, and with our packages where the project's own modules find them. */
async function runEdited({ file, from, to }, directory, action) {
  const path = join(directory, file)
  const text = readFileSync(path, 'utf8')
  if (!text.includes(from)) throw new Error(`${file} has no line ${from}`)
  const place = join(directory, 'node_modules/@howdah')
  mkdirSync(place, { recursive: true })
  rmSync(join(place, 'testing'), { force: true })
  symlinkSync(join(root, 'packages/testing'), join(place, 'testing'))
  try {
    writeFileSync(path, text.replace(from, to))
    return await action()
  } finally {
    writeFileSync(path, text)
    rmSync(place, { recursive: true })
  }
}

/** The tests of a run, and how long it took, in ms. */
async function run(title, [command, ...args], cwd, env) {
  console.log(`${title}: running`)
  const started = performance.now()
  const child = spawn(command, args, {
    cwd,
    env: { ...environment(), CI: '1', NO_COLOR: '1', ...env },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text))
  const [status] = await once(child, 'close')
  const found = tally(output)
  const time = performance.now() - started
  if (found === null || process.env.HOWDAH_PROJECTS_VERBOSE === '1') console.log(output)
  if (found === null) throw new Error(`${title} came to no end, with status ${status}`)
  return { ...found, time }
}

function printTable(all) {
  console.log(
    '\n| project | passed, plain | passed, howdah | failed, plain | failed, howdah | time | lines changed |',
  )
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |')
  for (const { name, reason, plain, here, lines } of all) {
    if (reason !== undefined) console.log(`| ${name} | not run: ${reason} | | | | | |`)
    else {
      const ratio = plain === undefined ? '–' : (here.time / plain.time).toFixed(2)
      const counts = [
        plain?.passed ?? '–',
        here.passed,
        plain?.failed ?? '–',
        here.failed,
        ratio,
        lines,
      ]
      console.log(`| ${name} | ${counts.join(' | ')} |`)
    }
  }
}

/** What howdah tells its command, for the plain server. */
function variablesOf(as) {
  const { username, password, port, pathname } = new URL(as)
  return {
    DATABASE_URL: as,
    PGHOST: 'localhost',
    PGPORT: port || '5432',
    PGUSER: decodeURIComponent(username),
    PGDATABASE: pathname.slice(1),
    ...(password !== '' && { PGPASSWORD: decodeURIComponent(password) }),
  }
}

/** Without what an outer npm, pnpm or runner has set, and what leads to another server. */
function environment() {
  return environmentWithout(
    /^(npm_|NPM_|PNPM_|NODE_PATH|NODE_ENV|VITEST|JEST|PG[A-Z]|DATABASE_URL)/,
  )
}
