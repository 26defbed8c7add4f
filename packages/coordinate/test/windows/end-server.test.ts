import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { killed, linuxOnly } from '@howdah/fixtures'
import { identifyProcess, liveness, type ProcessIdentity } from '@howdah/lock'
import { describe, expect, test } from 'vitest'
import { endServer } from '../../src/ending/end-server.ts'

/** Runs a shell's script, which says a line when it is ready. */
async function running(
  script: string,
): Promise<Disposable & { identity: ProcessIdentity; process: ChildProcess }> {
  const child = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(child.stdout, 'data')
  const identity = identifyProcess(child.pid ?? 0)
  if (identity === null) throw new Error('it has ended')
  return Object.assign(killed(child), { identity, process: child })
}

const deafTo = (...signals: string[]): string =>
  `trap '' ${signals.join(' ')}; echo ready; exec sleep 600`

/** Ends by itself when it is told to. */
const orderly = `trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done`

describe('a process that is to end', () => {
  test('gets the signal of its own, and has ended when the wait is over', async () => {
    using one = await running(deafTo('TERM', 'QUIT'))
    expect(await endServer(one.identity, { signal: 'SIGUSR1' })).toBe('ended')
    expect(liveness(one.identity)).toBe('dead')
  })

  test('is continued if it is suspended, because it would not do what it does at the signal', async () => {
    using one = await running(orderly)
    one.process.kill('SIGSTOP')
    expect(await endServer(one.identity, { signal: 'SIGTERM', timeout: 20_000 })).toBe('ended')
  })

  test('and has ended already is nobody else who has its pid now', async () => {
    using other = await running(deafTo('QUIT'))
    const ended = once(other.process, 'exit')
    const gone = { ...other.identity, startTime: '1' }
    expect(await endServer(gone, { signal: 'SIGTERM', patience: 0 })).toBe('ended')
    // It ends by the first signal that it gets.
    other.process.kill('SIGUSR1')
    expect((await ended)[1]).toBe('SIGUSR1')
  })

  test('is told to quit once, however long it takes after that', async () => {
    const script = `
      process.on('SIGINT', () => {})
      process.on('SIGQUIT', () => console.log('quit'))
      process.on('SIGUSR1', () => { console.log('done'); process.exit() })
      console.log('ready')
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    using _ = killed(child)
    const said: string[] = []
    const lines = createInterface({ input: child.stdout }).on('line', (line) => said.push(line))
    await once(lines, 'line')
    const identity = identifyProcess(child.pid ?? 0)!
    const how = { signal: 'SIGINT', patience: 1, timeout: 300 } as const
    expect(await endServer(identity, how)).toBe('alive')
    child.kill('SIGUSR1')
    await once(lines, 'close')
    expect(said).toEqual(['ready', 'quit', 'done'])
  })

  test('has been told so although nobody waits for it', async () => {
    using one = await running(
      `trap 'echo told; exec sleep 600' TERM; echo ready; while :; do sleep 0.05; done`,
    )
    const told = once(one.process.stdout!, 'data')
    const abort = AbortSignal.abort(new Error('enough'))
    await expect(endServer(one.identity, { signal: 'SIGTERM', abort })).rejects.toThrow('enough')
    expect(String(await told)).toBe('told\n')
  })
})

describe('standing still', linuxOnly('/proc, which tells what processes do'), () => {
  test('for so long has it told to quit, without patience', async () => {
    using one = await running(deafTo('INT'))
    expect(await endServer(one.identity, { signal: 'SIGINT', stillness: 200 })).toBe('quit')
  })

  test('is not asked of a process of which that is not said, nor found of one that works', async () => {
    using idle = await running(deafTo('INT'))
    using busy = await running(`trap '' INT; echo ready; while :; do :; done`)
    const how = { signal: 'SIGINT', timeout: 800 } as const
    const ends = await Promise.all([
      endServer(idle.identity, how),
      endServer(busy.identity, { ...how, stillness: 200 }),
    ])
    expect(ends).toEqual(['alive', 'alive'])
  })
})
