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

/** Options of a run of npm. */
export interface NpmOptions {
  /** Ends npm; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** How often npm retries if the registry does not answer; 1 by default. */
  readonly retries?: number | undefined
}

/**
 * These options override the user's configuration and that of an npm that runs us: no script of a package is run, nothing is
 * saved outside of the given directory, and npm answers in JSON.
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
 * Runs npm in a directory, and returns its answer. npm uses the user's configuration (registry, proxy, credentials), but no
 * project's. The directory must be our own and contain no project.
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
    // Without this npm would look for a project in the directories above, and read a .npmrc in /tmp.
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
  // Tries the npm that came with this Node.
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

/**
 * If there is no home directory for npm's cache, as for the user of a service, the cache is made in the directory and is
 * removed with it.
 */
async function cacheSetting(directory: string): Promise<string[]> {
  if (process.env['npm_config_cache'] ?? process.env['NPM_CONFIG_CACHE']) return []
  const home = await access(homeDirectory() ?? '', constants.W_OK).then(
    () => true,
    () => false,
  )
  return home ? [] : [`--cache=${join(directory, '.npm')}`]
}

/** The code in `npm error code ENOSPC`; older npms write `npm ERR!`. */
function codeIn(text: string): string | null {
  return /^npm (?:error|ERR!) code (\w+)$/m.exec(text)?.[1] ?? null
}
