import { readPlainFile } from '@howdah/durable'
import type { DataDirectory } from '../data-directory.ts'
import { unknownStart } from '../errors.ts'
import { isFixed, settingSeparator } from '../settings/setting-name.ts'

/** The options on a server's command line, in the form in which a start takes them. */
export interface HowStarted {
  readonly settings: Readonly<Record<string, string>>
  /** The port on 127.0.0.1; missing without TCP. */
  readonly tcp?: number | undefined
}

/**
 * Finds out how our running server was started.
 *
 * The server itself wrote its program and arguments into `postmaster.opts` when it started. Each argument is in quotes, and
 * quotes in it are not escaped (`CreateOptsFile` in PostgreSQL's `postmaster.c`). Throws `ERR_CLUSTER_UNKNOWN_START`.
 */
export async function howStarted(directory: DataDirectory): Promise<HowStarted> {
  const path = directory.file('postmaster.opts')
  let text: string
  try {
    text = readPlainFile(path)
  } catch (error) {
    throw unknownStart(directory.path, path, { cause: error })
  }
  const [program, ...given] = text.replace(/"?\n$/, '').split(settingSeparator)
  if (program === undefined || !program.includes(' "-D" "'))
    throw unknownStart(directory.path, path)
  const all = new Map(
    given.map((setting) => {
      const equals = setting.indexOf('=')
      return [setting.slice(0, equals), setting.slice(equals + 1)]
    }),
  )
  const listens = (all.get('listen_addresses') ?? '') !== ''
  return {
    settings: Object.fromEntries([...all].filter(([name]) => !isFixed(name))),
    tcp: listens ? Number(all.get('port')) : undefined,
  }
}
