// How long the parts of coordination take. `pnpm bench` builds nothing: build first.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Guard } from '@howdah/coordinate'
import { temporaryDirectory, until } from '@howdah/fixtures'
import { pathsOf, subjectIn } from '../test/server/directory-subject.mjs'

const user = fileURLToPath(new URL('../test/server/user.mjs', import.meta.url))
const rounds = 40

const temporary = temporaryDirectory()
try {
  const directory = temporary.file('subject')
  const [subject, paths] = [subjectIn(directory), pathsOf(directory)]
  await (await Guard.join(subject, paths, { start: {} })).leave()

  const cold = []
  const bare = []
  const stopping = []
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    const guard = await Guard.join(subject, paths, { start: {} })
    cold.push(performance.now() - began)
    const leaving = performance.now()
    await guard.leave()
    stopping.push(performance.now() - leaving)
    bare.push(await startBare())
  }
  print('start the server alone, without coordination', bare)
  print('join that starts it, watchdog and all', cold)
  print('leave that stops it', stopping)

  const warm = []
  const leaving = []
  const holder = await Guard.join(subject, paths, { start: {} })
  for (let round = 0; round < 500; round++) {
    const began = performance.now()
    const guard = await Guard.join(subject, paths, { start: {} })
    const joined = performance.now()
    await guard.leave()
    warm.push(joined - began)
    leaving.push(performance.now() - joined)
  }
  await holder.leave()
  print('join a running one', warm)
  print('leave while others use it', leaving)

  for (const watchdog of ['sh', 'node'])
    print(`last user killed → server signalled (${watchdog})`, await reactions(watchdog))

  /** From the end of the last user to the server's handler, in ms. */
  async function reactions(watchdog) {
    const result = []
    for (let round = 0; round < rounds / 2; round++) {
      const child = spawn(process.execPath, [user, directory, JSON.stringify({ watchdog })])
      await once(child.stdout, 'data')
      child.kill('SIGKILL')
      await once(child, 'exit')
      const ended = Date.now()
      const events = `${directory}.events`
      await until('it is gone', () => !existsSync(paths.record))
      const signalled = readFileSync(events, 'utf8')
        .trim()
        .split('\n')
        .findLast((line) => line.startsWith('stop'))
      result.push(Math.max(0, Number(signalled?.split(' ')[2]) - ended))
    }
    return result
  }

  /** The same server, spawned directly. */
  async function startBare() {
    const began = performance.now()
    const program = fileURLToPath(new URL('../test/server/server.mjs', import.meta.url))
    const child = spawn(process.execPath, [program], { cwd: directory, env: {}, stdio: 'ignore' })
    await until('it is ready', () => subject.running())
    const took = performance.now() - began
    child.kill('SIGINT')
    await once(child, 'exit')
    return took
  }
} finally {
  temporary[Symbol.dispose]()
}

function print(what, samples) {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (share) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(2)
  console.log(`${what.padEnd(52)} p50 ${at(0.5)} ms  p95 ${at(0.95)} ms  max ${at(1)} ms`)
}
