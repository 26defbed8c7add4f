import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { homeDirectory } from '../machine/home-directory.ts'
import { isRecord, parseJson } from './json.ts'
import { unsupportedPlatform } from '../errors.ts'
import {
  diskFull,
  installFailed,
  notIntact,
  npmMissing,
  offline,
  unknownVersion,
} from './install-errors.ts'

/** How npm is run. */
export interface NpmOptions {
  /** Ends npm; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** How often npm tries again if the registry does not answer; 1 by default. */
  readonly retries?: number | undefined
}

/**
 * Whatever the user's configuration or an npm that runs us says, these hold: nothing of a package is run, nothing is
 * saved anywhere but where it is asked for, and npm answers in JSON.
 */
const always = [
  '--json',
  '--ignore-scripts',
  '--no-save',
  '--no-package-lock',
  '--package-lock-only=false',
  '--dry-run=false',
  '--global=false',
  '--install-strategy=hoisted',
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
  '--no-progress',
  '--logs-max=0',
  '--fetch-retry-mintimeout=500',
]

const registryOutOfReach =
  /^(?:ENOTFOUND|EAI_\w+|ECONN\w+|E?TIMEDOUT|EHOST\w+|ENET\w+|EADDRNOTAVAIL|ENOTCACHED|ERR_SOCKET_TIMEOUT|FETCH_ERROR|EIDLETIMEOUT|ERESPONSETIMEOUT|ETRANSFERTIMEOUT|E50[234])$/

/**
 * Runs npm in a directory, which must be our own and without a project in it, with the user's configuration (registry, proxy,
 * credentials), though with no project's, and returns what it answers.
 *
 * `what` is for messages. Throws one of the errors of `install-errors.ts`.
 */
export async function npm(
  what: string,
  args: readonly string[],
  directory: string,
  options: NpmOptions = {},
): Promise<unknown> {
  const { signal, retries = 1 } = options
  signal?.throwIfAborted()
  const settings = [
    ...always,
    // Without it npm would look for a project upwards from here, and believe a .npmrc in /tmp.
    `--prefix=${directory}`,
    `--fetch-retries=${retries}`,
    ...(await cacheSetting(directory)),
  ]
  const { execa } = await import('execa')
  const run = (program: string) =>
    execa(program, [...args, ...settings], {
      cwd: directory,
      stdin: 'ignore',
      maxBuffer: 20_000_000,
      forceKillAfterDelay: 2_000,
      reject: false,
      ...(signal && { cancelSignal: signal }),
    })
  let result = await run('npm')
  // The one that came with this Node.
  if (result.code === 'ENOENT') result = await run(join(dirname(process.execPath), 'npm'))
  signal?.throwIfAborted()
  if (result.code === 'ENOENT') throw npmMissing(result)

  const answer = parseJson(result.stdout ?? '')
  if (!result.failed) return answer
  const error = isRecord(answer) && isRecord(answer['error']) ? answer['error'] : {}
  const code = typeof error['code'] === 'string' ? error['code'] : codeIn(result.stderr ?? '')
  const summary =
    typeof error['summary'] === 'string' ? error['summary'] : (result.stderr ?? '').trim()
  const detail = summary.slice(0, 1_000) || (result.shortMessage ?? 'it says nothing')
  switch (code ?? '') {
    case 'ENOSPC':
    case 'EDQUOT':
      throw diskFull(directory, result)
    case 'EINTEGRITY':
      throw notIntact(what, detail, result)
    case 'EBADPLATFORM':
      throw unsupportedPlatform(
        `npm refuses ${what}`,
        `${process.platform}-${process.arch}`,
        "install the system's own PostgreSQL",
      )
    case 'ETARGET':
    case 'E404':
      throw unknownVersion(what, [], result)
    default:
      if (code !== null && registryOutOfReach.test(code)) throw offline(what, detail, result)
      throw installFailed(what, code, detail, result)
  }
}

/** Where there is no home to keep npm's cache in, as a service's user may have none, it goes away with the rest. */
async function cacheSetting(directory: string): Promise<string[]> {
  if (process.env['npm_config_cache'] ?? process.env['NPM_CONFIG_CACHE']) return []
  const home = await access(homeDirectory() ?? '', constants.W_OK).then(
    () => true,
    () => false,
  )
  return home ? [] : [`--cache=${join(directory, '.npm')}`]
}

/** The code in `npm error code ENOSPC`, or `npm ERR!` of older ones. */
function codeIn(text: string): string | null {
  return /^npm (?:error|ERR!) code (\w+)$/m.exec(text)?.[1] ?? null
}
