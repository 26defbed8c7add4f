// What howdah adds to a command. On a running cluster, that is to stay below 100 ms more than Node itself takes to start.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Bench } from 'tinybench'

const bin = fileURLToPath(new URL('../dist/bin.cjs', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'howdah-bench-'))
chmodSync(directory, 0o755)

async function node(...args) {
  const child = spawn(process.execPath, args, {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk) => (said += chunk))
  const [status] = await once(child, 'close')
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${said}`)
}

const howdah = (...args) => node(bin, ...args)

async function measure(title, tasks, iterations) {
  const bench = new Bench({ time: 0, iterations, warmupTime: 0, warmupIterations: 2, throws: true })
  for (const [name, task] of tasks) bench.add(name, task)
  await bench.run()
  console.log(`\n${title}`)
  console.table(
    bench.tasks.map(({ name, result }) => ({
      command: name,
      'median ms': result.latency.p50.toFixed(1),
      'best ms': result.latency.min.toFixed(1),
      'more than node, best ms': (result.latency.min - bench.tasks[0].result.latency.min).toFixed(
        1,
      ),
    })),
  )
}

try {
  await howdah('start', '-d', 'app')
  await measure(
    'On a running cluster',
    [
      ['node -e 0', () => node('-e', '0')],
      ['howdah --version', () => howdah('--version')],
      ['howdah exec true', () => howdah('exec', 'true')],
      ['howdah exec -d app true', () => howdah('exec', '-d', 'app', 'true')],
      ['howdah url', () => howdah('url')],
      ['howdah status', () => howdah('status')],
    ],
    20,
  )
  await howdah('stop')
  await measure(
    'On a cluster that does not run',
    [
      ['node -e 0', () => node('-e', '0')],
      ['howdah exec true', () => howdah('exec', 'true')],
      ['howdah exec -D new --destroy true', () => howdah('exec', '-D', 'new', '--destroy', 'true')],
    ],
    5,
  )
} finally {
  await howdah('destroy', '--force')
  rmSync(directory, { recursive: true })
}
