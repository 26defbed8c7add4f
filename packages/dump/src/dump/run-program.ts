import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { DumpError } from '../errors.ts'
import { programAccess } from '../source.ts'
import type { Sink } from './sink.ts'
import type { Run } from './run.ts'

/** Runs a pg_dump of this machine. */
export async function runProgram(path: string, run: Run, sink: Sink): Promise<void> {
  const { env, argument } = programAccess(run.source, run.database)
  const child = spawn(path, [...run.args, '--no-password', argument], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: run.signal,
  })
  const ended = once(child, 'close')
  const said = text(child.stderr)
  try {
    for await (const chunk of child.stdout) await sink.take(chunk as Uint8Array)
    const [status] = (await ended) as [number | null]
    const words = (await said).trim()
    if (status !== 0)
      throw new DumpError('ERR_DUMP_FAILED', words || `${path} ended with ${status}`)
    for (const line of words.split('\n').filter(Boolean)) run.onNotice(line)
  } catch (error) {
    child.kill()
    await ended.catch(() => undefined)
    run.signal?.throwIfAborted()
    throw error
  }
}
