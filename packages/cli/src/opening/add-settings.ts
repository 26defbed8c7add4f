import { type Asked, runOptionsOf } from '@howdah/provision'
import type { Options } from '../program/options.ts'

/** Adds to the options of a command what the settings of the project say and neither options nor the environment do. */
export function addSettings(
  options: Options,
  asked: Asked,
  { env, sharesPorts }: { readonly env: NodeJS.ProcessEnv; readonly sharesPorts: boolean },
): Options {
  const run = runOptionsOf(asked, { sharesPorts })
  const { runtime, runtimePlace, locale, mode, linger, database, tcp, tls } = run
  const isNamed = (env['PGDATABASE'] ?? '') !== ''
  // A URL says all about how the server is reached.
  const reached: Options =
    options.as === undefined ? { tcp, tls, ...(!isNamed && { database }) } : {}
  const lasting = options.temporary === true ? {} : { mode, linger }
  const set = merged(run.settings ?? {}, options.set ?? {})
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return {
    runtime,
    ...(options.runtime === undefined && { runtimePlace }),
    locale,
    ...lasting,
    ...reached,
    ...Object.fromEntries(given),
    // Without a port, the option asks for TCP, and the settings for the port.
    ...(options.tcp === true && reached.tcp !== undefined && { tcp: reached.tcp }),
    ...(Object.keys(set).length > 0 && { set }),
  }
}

/** Settings of the server, of which the second win. Their names are alike in any case. */
function merged(
  some: Readonly<Record<string, string>>,
  others: Readonly<Record<string, string>>,
): Record<string, string> {
  const named = new Set(Object.keys(others).map((name) => name.toLowerCase()))
  const rest = Object.entries(some).filter(([name]) => !named.has(name.toLowerCase()))
  return { ...Object.fromEntries(rest), ...others }
}
