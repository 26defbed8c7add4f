import { currentProcess, formerMachineIds, makeDirectories } from '@howdah/lock'
import { accessSync, constants, lstatSync, readFileSync, readdirSync, renameSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { errno } from '@howdah/durable'
import { StoreError } from './errors.ts'

/** The environment variable that says where state lives. */
const variable = 'HOWDAH_STATE_DIR'

/** The sources that decide where state lives. Only tests override the defaults. */
export interface StateDirectorySources {
  /** Instead of `process.env`. */
  environment?: Readonly<Record<string, string | undefined>> | undefined
  /** Instead of the home directory in the user database; `null` if there is none. */
  home?: string | null | undefined
  /** Instead of `/var/tmp`. */
  temporary?: string | undefined
  /** Instead of `/etc/passwd`, in which root finds the homes of all users. */
  userDatabase?: string | undefined
  /** Instead of `/Users`, of which root learns them on macOS, whose users are in no file. */
  homes?: string | undefined
}

/** A directory with a user's state. */
export interface StateDirectory {
  readonly path: string
  /** The user that the state belongs to. */
  readonly uid: number
}

/**
 * The directory with the state of this user on this machine. It is made with mode 0700 if it is missing.
 *
 * It is `$HOWDAH_STATE_DIR`, else `.local/state/howdah/<machine id>` in the home directory from the user database, else
 * `/var/tmp/howdah-<uid>`. Variables that differ between a login, cron and sudo, such as `HOME` or `XDG_RUNTIME_DIR`, are not
 * used, because then a user would have two states. A directory is used only if it is no symbolic link, belongs to the user,
 * has mode 0700 and is writable. If `$HOWDAH_STATE_DIR` is set, no other directory takes its place.
 *
 * Throws `ERR_STORE_STATE_DIRECTORY`.
 */
export function stateDirectory(sources: StateDirectorySources = {}): string {
  const problems: string[] = []
  const candidates = ownCandidates(sources)
  for (const { path, problem: refused } of candidates) {
    const problem = refused ?? make(path)
    if (problem === null) return path
    problems.push(problem)
  }
  throw new StoreError(
    'ERR_STORE_STATE_DIRECTORY',
    { step: 'find a place for state', path: candidates[0]?.path ?? '' },
    `${problems.join('; ')}. Set ${variable} to a directory that is yours, with mode 0700`,
    { problems },
  )
}

let warned = false

/**
 * Like {@link stateDirectory}, but gives `null` if there is no usable directory. It warns once per process.
 */
export function findStateDirectory(sources: StateDirectorySources = {}): string | null {
  try {
    return stateDirectory(sources)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    // The warning is given once, because people do not read repeated warnings.
    if (!warned) process.emitWarning(error.message, { type: 'StoreWarning', code: error.code })
    warned = true
    return null
  }
}

/**
 * The existing state directories: this user's, and for root also those of all users in the user database or in `/var/tmp`, if
 * they belong to the right user. If `$HOWDAH_STATE_DIR` is set, only that directory is given. It makes no directory. Open the
 * stores in them with `create: false`.
 */
export function stateDirectories(sources: StateDirectorySources = {}): StateDirectory[] {
  const { environment = process.env } = sources
  const uid = effectiveUser()
  const own = ownCandidates(sources).flatMap(({ path, problem }) =>
    problem === null ? [{ path, uid }] : [],
  )
  const found = new Map<string, StateDirectory>()
  const others = uid === 0 && !environment[variable] ? everybodysCandidates(sources) : []
  for (const { path } of own) if (!exists(path)) adopt(path)
  for (const place of [...own, ...others]) {
    if (problemOf(place.path, place.uid) === null) found.set(place.path, place)
  }
  return [...found.values()]
}

interface Candidate {
  readonly path: string
  /** Why it cannot be used; `null` if it may be. */
  readonly problem: string | null
}

function ownCandidates(sources: StateDirectorySources): Candidate[] {
  const { environment = process.env, home = databaseHome() } = sources
  const given = environment[variable]
  if (given) {
    const problem = isAbsolute(given)
      ? null
      : `${variable} is ${given}, which is not an absolute path`
    return [{ path: resolve(given), problem }]
  }
  const { temporary = '/var/tmp' } = sources
  const inTemporary = candidate(temporary, join(temporary, `howdah-${effectiveUser()}`))
  return home !== null && isAbsolute(home)
    ? [candidate(home, inHome(home)), inTemporary]
    : [inTemporary]
}

/** The directory, usable only if its parent exists. */
function candidate(above: string, path: string): Candidate {
  return { path, problem: exists(above) ? null : `there is no directory ${above}` }
}

function everybodysCandidates(sources: StateDirectorySources): StateDirectory[] {
  const { userDatabase = '/etc/passwd', temporary = '/var/tmp', homes = '/Users' } = sources
  const candidates =
    process.platform === 'darwin' ? stateBelow(homes) : stateOfListedUsers(userDatabase)
  for (const name of attempt(() => readdirSync(temporary)) ?? []) {
    const uid = /^howdah-(\d+)$/.exec(name)?.[1]
    if (uid !== undefined) candidates.push({ path: join(temporary, name), uid: Number(uid) })
  }
  return candidates
}

/** In the homes of the users that passwd(5) lists: name, password, uid, gid, comment, home, shell. */
function stateOfListedUsers(userDatabase: string): StateDirectory[] {
  const lines = attempt(() => readFileSync(userDatabase, 'utf8').split('\n')) ?? []
  return lines.flatMap((line) => {
    const [, , uid = '', , , home = ''] = line.split(':')
    const isUser = /^\d+$/.test(uid) && isAbsolute(home)
    return isUser ? [{ path: inHome(home), uid: Number(uid) }] : []
  })
}

/** In the homes that lie in a directory; each is its owner's. */
function stateBelow(homes: string): StateDirectory[] {
  return (attempt(() => readdirSync(homes)) ?? []).flatMap((name) => {
    const home = join(homes, name)
    const stats = attempt(() => lstatSync(home))
    return stats?.isDirectory() === true ? [{ path: inHome(home), uid: stats.uid }] : []
  })
}

/** The path contains the machine's id, because several machines may share a home directory. */
function inHome(home: string): string {
  const machine = currentProcess().machineId ?? hostname()
  return join(home, '.local/state/howdah', nameOfMachine(machine))
}

function nameOfMachine(id: string): string {
  return id.replaceAll(/[^\w.-]/g, '_')
}

/** Renames the state directory that an earlier version made for this machine under another id. */
function adopt(path: string): void {
  for (const id of formerMachineIds()) {
    const former = join(dirname(path), nameOfMachine(id))
    if (problemOf(former, effectiveUser()) === null) attempt(() => renameSync(former, path))
  }
}

/** Makes the directory if it is missing. Gives the reason why it cannot be used, or `null`. */
function make(path: string): string | null {
  try {
    if (!exists(path)) adopt(path)
    makeDirectories(path, 0o700)
  } catch (error) {
    if (errno(error) !== 'EEXIST') return `${path} cannot be made (${errno(error)})`
  }
  return problemOf(path, effectiveUser()) ?? refusalOf(path)
}

/** Why nothing can be made in the directory, for example on a read-only file system; `null` if it can. */
function refusalOf(path: string): string | null {
  try {
    accessSync(path, constants.W_OK | constants.X_OK)
    return null
  } catch (error) {
    return `${path} cannot be written (${errno(error)})`
  }
}

/** Why a directory cannot be used, or `null`. */
function problemOf(path: string, uid: number): string | null {
  try {
    const stats = lstatSync(path)
    if (stats.isSymbolicLink()) return `${path} is a symbolic link`
    if (!stats.isDirectory()) return `${path} is not a directory`
    if (stats.uid !== uid) return `${path} belongs to user ${stats.uid}, not ${uid}`
    const mode = stats.mode & 0o777
    return mode === 0o700 ? null : `${path} has mode 0${mode.toString(8)}, not 0700`
  } catch (error) {
    return `${path} cannot be looked at (${errno(error)})`
  }
}

/** The home directory from the user database, getpwuid(3), not from the variable `HOME`. */
function databaseHome(): string | null {
  return attempt(() => userInfo().homedir)
}

function effectiveUser(): number {
  return process.geteuid?.() ?? -1
}

function exists(path: string): boolean {
  return (attempt(() => lstatSync(path, { throwIfNoEntry: false })) ?? null) !== null
}

function attempt<Result>(action: () => Result): Result | null {
  try {
    return action()
  } catch {
    return null
  }
}
