import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { findProgram } from '@howdah/durable'
import { DumpError } from '../errors.ts'
import { programAccess, type Source } from '../source.ts'
import type { LoadOptions } from './load-options.ts'

/** Loads an archive by pg_restore. Throws `ERR_LOAD_FORMAT` if there is no pg_restore, and `ERR_LOAD_FAILED` with its output. */
export async function restoreArchive(
  source: Source,
  { path, format }: { readonly path: string | null; readonly format: string },
  { database, singleTransaction, roles, signal, onNotice }: LoadOptions,
): Promise<void> {
  const what = path ?? 'what comes from stdin'
  if (roles === 'create')
    throw new DumpError(
      'ERR_LOAD_OPTION',
      `${what} is in pg_dump's ${format} format, in which roles cannot be found in advance; create them first`,
    )
  if (path === null)
    throw new DumpError(
      'ERR_LOAD_FORMAT',
      `${what} is in pg_dump's ${format} format; load it from a file`,
    )
  const { env, argument } = programAccess(source, database)
  const program = findProgram('pg_restore', env['PATH'])
  if (program === null)
    throw new DumpError(
      'ERR_LOAD_FORMAT',
      `${what} is in pg_dump's ${format} format, which only pg_restore reads, and there is no pg_restore here; ` +
        'install PostgreSQL\'s client programs, or dump as SQL: "howdah dump" does',
      { path },
    )
  const args = ['--exit-on-error', ...(singleTransaction === true ? ['--single-transaction'] : [])]
  const child = spawn(program, [...args, '--no-password', argument, path], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    signal,
  })
  const ended = once(child, 'close') as Promise<[number | null]>
  const words = (await text(child.stderr)).trim()
  const [status] = await ended
  if (status !== 0) throw new DumpError('ERR_LOAD_FAILED', `${what}: ${words}`, { path })
  for (const line of words.split('\n').filter(Boolean)) onNotice?.(line)
}
