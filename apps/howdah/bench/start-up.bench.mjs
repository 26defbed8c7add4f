// What howdah adds to a command. On a running cluster, that is to stay below 100 ms more than Node itself takes to start.
// Each round runs every command once, so that what disturbs the machine disturbs them alike. Elapsed time, and the time
// that processors were busy with the command, which others disturb less. HOWDAH_BENCH_ROUNDS sets how many rounds there are.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const rounds = Number(process.env.HOWDAH_BENCH_ROUNDS ?? 20)
const bin = fileURLToPath(new URL('../dist/bin.cjs', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'howdah-bench-'))
chmodSync(directory, 0o755)

function node(...args) {
  const options = { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' }
  const { status, stderr } = spawnSync(process.execPath, args, options)
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
}

const howdah = (...args) => node(bin, ...args)

/** In ms, in steps of 10: of all our children that have ended. See proc(5). */
function busy() {
  const [, text] = /\) (.*)/s.exec(readFileSync('/proc/self/stat', 'utf8'))
  const fields = text.split(' ')
  return (Number(fields[13]) + Number(fields[14])) * 10
}

function measure(title, commands, times) {
  const tasks = [
    ['node -e 0', () => node('-e', '0')],
    ...commands.map((command) => [`howdah ${command}`, () => howdah(...command.split(' '))]),
  ].map(([name, run]) => ({ name, run, elapsed: [], busy: 0 }))
  for (const { run } of tasks) run() // To warm up.
  for (let round = 0; round < times; round += 1) {
    for (const task of tasks) {
      const [start, before] = [performance.now(), busy()]
      task.run()
      task.elapsed.push(performance.now() - start)
      task.busy += (busy() - before) / times
    }
  }
  const median = ({ elapsed }) => elapsed.toSorted((a, b) => a - b)[elapsed.length >> 1]
  const [alone] = tasks
  console.log(`\n${title}, ${times} rounds, Node ${process.version}`)
  console.table(
    tasks.map((task) => ({
      command: task.name,
      'median ms': median(task).toFixed(1),
      'more than node': (median(task) - median(alone)).toFixed(1),
      'busy ms': task.busy.toFixed(1),
      'busier than node': (task.busy - alone.busy).toFixed(1),
    })),
  )
}

try {
  howdah('start', '-d', 'app')
  measure(
    'On a running cluster',
    ['--version', 'exec -- true', 'exec -d app -- true', 'url', 'status'],
    rounds,
  )
  howdah('stop')
  measure(
    'On a cluster that does not run',
    ['exec -- true', 'exec -D new --destroy -- true'],
    Math.ceil(rounds / 4),
  )
} finally {
  howdah('destroy', '--force')
  rmSync(directory, { recursive: true })
}
