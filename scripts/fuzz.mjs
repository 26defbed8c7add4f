// `pnpm fuzz [seconds]`: runs the tests that draw at random, with a new seed for each run, until the time is over, or for
// ever. A failure ends it: it prints the seed, and how to repeat the run. The packages have to be built.
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const packages = ['ltx', 'replica', 'registry', 'store', 'lock']
const largestSeed = 2 ** 32

const [given, ...rest] = process.argv.slice(2)
const seconds = given === undefined ? Infinity : Number(given)
if (rest.length > 0 || !(seconds > 0)) {
  console.error('usage: pnpm fuzz [SECONDS], a number above 0')
  process.exit(2)
}

const interruption = new AbortController()
// The run that is going on gets it too, and tidies up.
process.on('SIGINT', () => interruption.abort())

const end = performance.now() + seconds * 1000
let runs = 0
while (performance.now() < end && !interruption.signal.aborted) {
  const name = packages[runs % packages.length]
  const seed = randomInt(largestSeed)
  const { passed, output } = await run(name, seed)
  if (interruption.signal.aborted) break
  if (!passed) {
    console.log(output)
    console.log(`@howdah/${name} fails with the seed ${seed}. Repeat it, from the root:`)
    const count = process.env.HOWDAH_TEST_COUNT
    const variables = [`HOWDAH_TEST_SEED=${seed}`, ...(count ? [`HOWDAH_TEST_COUNT=${count}`] : [])]
    console.log(`${variables.join(' ')} pnpm exec vitest ${args(name).join(' ')}`)
    process.exit(1)
  }
  runs++
  console.log(`@howdah/${name} passes with the seed ${seed}`)
}
console.log(`${runs} ${runs === 1 ? 'run' : 'runs'}, none failed`)
process.exitCode = interruption.signal.aborted ? 130 : 0

function args(name) {
  const tests = join('packages', name, 'test')
  const drawing = readdirSync(join(root, tests)).filter((file) => {
    return (
      file.endsWith('.test.ts') && /tags: 'property'/.test(readFileSync(join(root, tests, file)))
    )
  })
  const files = drawing.map((file) => join(tests, file))
  return ['run', '--project', `@howdah/${name}`, '--tagsFilter', 'property', ...files]
}

/** Runs the tests of a package with a seed: whether they pass, and what they said. */
async function run(name, seed) {
  const env = { ...process.env, HOWDAH_TEST_SEED: `${seed}` }
  const child = spawn('pnpm', ['exec', 'vitest', ...args(name)], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks = []
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => chunks.push(chunk))
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => {
      resolve({ passed: status === 0, output: Buffer.concat(chunks).toString() })
    })
  })
}
