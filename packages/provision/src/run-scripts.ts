import { basename } from 'node:path'
import { Readable } from 'node:stream'
import type { Server } from '@howdah/cluster'
import { type Asked, baseOf } from './asked.ts'
import { ProvisionError } from './errors.ts'
import type { Script, Scripts } from './scripts.ts'

/** What scripts need besides the server. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs scripts in the database of a server, up to the first error: SQL as `load` of `@howdah/dump` does, the others by the
 * shell in the directory of the settings. Throws `ERR_PROVISION_SCRIPT` with what the script said.
 */
export async function runScripts(
  server: Server,
  asked: Asked,
  { key, all }: Scripts,
  surroundings: Surroundings,
): Promise<void> {
  for (const script of all) {
    surroundings.signal?.throwIfAborted()
    try {
      await run(server, asked, script, surroundings)
    } catch (cause) {
      surroundings.signal?.throwIfAborted()
      const isFile = script.kind === 'file'
      const what = isFile ? script.path : JSON.stringify(script.command)
      const words = isFile
        ? wordsOf(cause).replace(/^<stdin>/, basename(script.path))
        : wordsOf(cause)
      const why = `${what} failed: ${words}; correct it, and try again`
      throw new ProvisionError('ERR_PROVISION_SCRIPT', { path: asked.path, key }, why, { cause })
    }
  }
}

async function run(
  server: Server,
  asked: Asked,
  script: Script,
  { env, signal }: Surroundings,
): Promise<void> {
  if (script.kind === 'file' && !script.path.endsWith('.sh')) {
    const { load } = await import('@howdah/dump')
    await load(server, { from: Readable.from([script.content]), signal })
    return
  }
  const args = script.kind === 'file' ? ['-e', script.path] : ['-c', script.command]
  await server.exec('/bin/sh', args, {
    cwd: baseOf(asked),
    env: server.commandEnv(undefined, env),
    all: true,
    ...(signal !== undefined && { cancelSignal: signal }),
  })
}

/** The last lines of what a program has said, or the message of an error. */
function wordsOf(error: unknown): string {
  const { all, shortMessage, message } = error as {
    all?: unknown
    shortMessage?: string
    message: string
  }
  if (typeof all !== 'string' || all.trim() === '') return shortMessage ?? message
  return all.trim().split('\n').slice(-8).join('\n')
}
