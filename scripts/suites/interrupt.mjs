import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** In ms: how long a runner may take to end, and what it has left to go; a server stays for 10 s after its last user. */
const patience = 60_000

/**
 * Ends a runner in the middle of a suite, by Ctrl-C, as the terminal does it, or by killing it alone. Throws unless nothing is left
 * after a moment: no process that works in the project, and no server.
 *
 * @param {'SIGINT' | 'SIGKILL'} signal
 */
export async function interrupt(signal, args, { cwd, env }) {
  const place = mkdtempSync(join(tmpdir(), 'howdah-interrupted-'))
  const progress = join(place, 'progress')
  try {
    const surroundings = { ...env, HOWDAH_TEMPORARY_DIR: place, SUITE_PROGRESS: progress }
    const options = { cwd, env: surroundings, detached: true, stdio: 'ignore' }
    const runner = spawn(process.execPath, args, options)
    const ended = once(runner, 'exit')
    await until(`tests run before ${signal}`, () => testsIn(progress) > 10)
    if (runner.exitCode !== null) throw new Error(`it had ended before ${signal}`)
    process.kill(signal === 'SIGINT' ? -runner.pid : runner.pid, signal)
    await Promise.race([ended, sleep(patience, undefined, { ref: false })])
    await until(
      `nothing is left after ${signal}`,
      () => leftIn(place, cwd).length === 0,
      () => leftIn(place, cwd),
    )
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

function testsIn(file) {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0
}

/** Servers of tests, and processes that work in the project (on Linux). */
function leftIn(place, project) {
  const servers = readdirSync(place)
    .flatMap((name) => (name === 'progress' ? [] : readdirSync(join(place, name))))
    .filter((name) => name.startsWith('testing-'))
  const pids = existsSync('/proc/self/cwd')
    ? readdirSync('/proc').filter((name) => /^\d+$/.test(name))
    : []
  const processes = pids.filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === project
    } catch {
      return false
    }
  })
  return [...servers, ...processes.map((pid) => `process ${pid}`)]
}

async function until(what, isSo, words = () => []) {
  const deadline = performance.now() + patience
  while (!isSo()) {
    if (performance.now() > deadline)
      throw new Error(`not so in time: ${what} (${words().join(', ')})`)
    await sleep(50)
  }
}
