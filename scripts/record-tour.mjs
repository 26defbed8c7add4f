// Records a minute with the command, in a real terminal, as docs/tour.svg: `node scripts/record-tour.mjs`, after `pnpm build`. Needs
// script(1), of util-linux. Each line appears when it did, up to a second after the one before.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'

const commands = [
  'cat app.js',
  'howdah exec -- node app.js',
  'howdah exec -- node app.js',
  'howdah snapshot save two-visits',
  "howdah -c 'DROP TABLE visits'",
  'howdah snapshot restore two-visits',
  "howdah -c 'SELECT count(*) FROM visits'",
]
const program = `import { Client } from 'pg'

const db = new Client(process.env.DATABASE_URL)
await db.connect()
await db.query('CREATE TABLE IF NOT EXISTS visits (at timestamptz DEFAULT now())')
await db.query('INSERT INTO visits DEFAULT VALUES')
console.log((await db.query('SELECT count(*) FROM visits')).rows)
await db.end()
`

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const home = mkdtempSync(join(tmpdir(), 'howdah-tour-'))
const app = join(home, 'app')
mkdirSync(join(home, 'bin'))
mkdirSync(join(app, 'node_modules'), { recursive: true })
symlinkSync(join(root, 'apps/howdah/dist/bin.cjs'), join(home, 'bin/howdah'))
symlinkSync(join(root, 'apps/howdah/node_modules/pg'), join(app, 'node_modules/pg'))
writeFileSync(join(app, 'app.js'), program)
writeFileSync(join(app, 'package.json'), '{ "type": "module" }\n')
const env = {
  HOME: home,
  HOWDAH_STATE_DIR: join(home, 'state'),
  PATH: `${join(home, 'bin')}:${process.env.PATH}`,
  TERM: 'xterm',
  PAGER: 'cat',
}

/** The lines, and when each appears, in seconds. */
const lines = []
let time = 0.5
try {
  for (const command of commands) await record(command)
} finally {
  spawnSync(join(home, 'bin/howdah'), ['destroy', '--force', '--no-save', '--quiet'], {
    cwd: app,
    env,
  })
  rmSync(home, { recursive: true })
}
writeFileSync(join(root, 'docs/tour.svg'), picture())

async function record(command) {
  lines.push({ time, text: `$ ${command}`, isCommand: true })
  let last = performance.now()
  let text = ''
  const stdio = ['ignore', 'pipe', 'inherit']
  const child = spawn('script', ['-qefc', command, '/dev/null'], { cwd: app, env, stdio })
  child.stdout.setEncoding('utf8').on('data', (data) => {
    time += Math.min(1, (performance.now() - last) / 1000)
    last = performance.now()
    const whole = (text + data).split(/\r?\n/)
    text = whole.pop()
    for (const one of whole.flatMap(shown)) lines.push({ time, text: one })
  })
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(`${command} ended with ${status}`)
  time += 1.2
}

/** What stays of a line on a terminal of 90 columns, without names of this machine. */
function shown(line) {
  const text = stripVTControlCharacters(line.slice(line.lastIndexOf('\r') + 1)).trimEnd()
  return text.replaceAll(home, '~').match(/.{1,90}/g) ?? []
}

function picture() {
  const [width, height, leading] = [760, lines.length * 20 + 28, 20]
  const rows = lines.map(({ time: at, text, isCommand }, index) => {
    const y = 28 + index * leading
    const kind = isCommand ? ' class="command"' : ''
    return `<text x="16" y="${y}"${kind} style="animation-delay:${at.toFixed(1)}s">${escaped(text)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="A minute with howdah">
<style>
text { font: 13px ui-monospace, Menlo, Consolas, monospace; fill: #d0d7de; white-space: pre; animation: appear 1ms backwards }
.command { fill: #7ee787; font-weight: bold }
@keyframes appear { from { opacity: 0 } }
@media (prefers-reduced-motion: reduce) { text { animation: none } }
</style>
<rect width="100%" height="100%" rx="8" fill="#161b22"/>
${rows.join('\n')}
</svg>
`
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
