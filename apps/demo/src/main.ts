// `npm start`: four workers, one queue, one PostgreSQL that nobody had to start, and a SIGKILL on the way.
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Cluster } from '@howdah/cluster'
import { jobs, type Report, strategy } from './demo.ts'
import { Progress } from './progress.ts'
import { Tally } from './tally.ts'
import { WorkerProcess } from './worker-process.ts'

const names = ['anna', 'ben', 'carla', 'david']
const victim = 'carla'

const home = await mkdtemp(join(tmpdir(), 'howdah-demo-'))
const cluster = new Cluster(join(home, 'data'), { strategy: strategy() })
process.exitCode = 1
try {
  const tally = new Tally(victim)
  const failures = await work(tally)
  if (failures.length > 0) {
    console.error(['The demo failed.', ...failures].join('\n\n'))
  } else {
    const log = await readFile(cluster.logFile, 'utf8')
    const version = await cluster.version()
    const { state } = await cluster.status()
    await cluster.destroy()
    await rm(home, { recursive: true, force: true })
    const checks = tally.checks({
      starts: count(log, /database system is ready to accept connections/g),
      stops: count(log, /database system is shut down/g),
      left: [state === 'running' ? 'the server' : [], existsSync(home) ? home : []].flat(),
    })
    console.log(tally.summary(`PostgreSQL ${String(version)}`, checks))
    process.exitCode = checks.every(({ holds }) => holds) ? 0 : 1
  }
} finally {
  await cluster.destroy({ force: true })
  await rm(home, { recursive: true, force: true })
}

/**
 * Starts the workers side by side, kills one of them at a third of the work, and waits until all have ended. Gives what
 * went wrong with them.
 */
async function work(tally: Tally): Promise<string[]> {
  console.log(`Four processes are about to share one PostgreSQL, in ${cluster.dataDir}.`)
  console.log(
    `None is running there; the first to come starts it. ${victim} will be killed on the way.\n`,
  )
  const progress = new Progress(jobs)
  const workers = names.map((name) => new WorkerProcess(name, cluster.dataDir, hear))
  const failures = await Promise.all(workers.map(({ failure }) => failure))
  progress.end()
  return failures.filter((failure) => failure !== null)

  function hear(report: Report): void {
    tally.add(report)
    if (report.kind === 'joined')
      progress.say(`${report.worker} ${report.started ? 'started PostgreSQL' : 'joined'}`)
    if (report.kind === 'trouble') progress.say(`${report.worker}: ${report.message}`)
    progress.at(report.kind === 'finished' ? report.done : tally.done)
    if (tally.done >= jobs / 3 && workers.find(({ name }) => name === victim)?.kill() === true) {
      progress.say(`${victim} was killed with SIGKILL; her jobs go back to the queue`)
    }
  }
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length
}
