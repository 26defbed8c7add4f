// `npm start`: four workers, one queue, one PostgreSQL that nobody had to start, and a SIGKILL on the way.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Cluster } from '@howdah/cluster'
import { jobs, type Report, strategy } from './demo.ts'
import { Progress } from './progress.ts'
import { Tally } from './tally.ts'

const names = ['anna', 'ben', 'carla', 'david']
const victim = 'carla'

const home = await mkdtemp(join(tmpdir(), 'howdah-demo-'))
const cluster = new Cluster(join(home, 'data'), { strategy: strategy() })
process.exitCode = 1
try {
  const tally = await work()
  const log = await readFile(cluster.logFile, 'utf8')
  const version = await cluster.version()
  const { state } = await cluster.status()
  await cluster.destroy()
  await rm(home, { recursive: true, force: true })
  const checks = tally.checks({
    starts: count(log, /database system is ready to accept connections/g),
    stops: count(log, /database system is shut down/g),
    left: state === 'running' || existsSync(home),
  })
  console.log(tally.summary(`PostgreSQL ${String(version)}`, checks))
  process.exitCode = checks.every(({ holds }) => holds) ? 0 : 1
} finally {
  await cluster.destroy({ force: true })
  await rm(home, { recursive: true, force: true })
}

/** Starts the workers side by side, kills one of them at a third of the work, and waits until all have ended. */
async function work(): Promise<Tally> {
  console.log(`Four processes are about to share one PostgreSQL, in ${cluster.dataDir}.`)
  console.log(
    `None is running there; whoever comes first starts it. ${victim} will be killed on the way.\n`,
  )
  const tally = new Tally(victim)
  const progress = new Progress(jobs)
  const workers = new Map(names.map((name) => [name, startWorker(name, (report) => hear(report))]))
  const endings = await Promise.all([...workers.values()].map((worker) => once(worker, 'exit')))
  progress.end()
  if (endings.some(([status]) => status !== 0 && status !== null)) {
    throw new Error('a worker has failed; what it said is above')
  }
  return tally

  function hear(report: Report): void {
    tally.add(report)
    if (report.kind === 'joined')
      progress.say(`${report.worker} ${report.started ? 'started PostgreSQL' : 'joined'}`)
    if (report.kind === 'trouble') progress.say(`${report.worker}: ${report.message}`)
    progress.at(report.kind === 'finished' ? report.done : tally.done)
    if (tally.done >= jobs / 3 && workers.get(victim)?.kill('SIGKILL') === true) {
      workers.delete(victim)
      progress.say(`${victim} was killed with SIGKILL; her jobs go back to the queue`)
    }
  }
}

function startWorker(name: string, hear: (report: Report) => void): ChildProcess {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'worker.js')
  const worker = fork(script, [name, cluster.dataDir])
  worker.on('message', hear)
  return worker
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length
}
