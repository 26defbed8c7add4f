import type { ServerUser, KnownUser } from './server-user.ts'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { closedAbove } from './access.ts'
import { noServerUser } from '../errors.ts'
import { ownerOf } from './owner-of.ts'

/**
 * The user that the server of `dataDir` runs as. `null` if we are not root, because then it runs as our own user.
 *
 * It is the first of these: `runAs`, the owner of the data directory, `like`, `postgres`, the user who called sudo, `nobody`.
 * No user is ever created. Throws `ERR_CLUSTER_SERVER_USER` if there is none.
 */
export async function chooseServerUser(
  dataDir: string,
  runAs?: string,
  like?: KnownUser | null,
): Promise<ServerUser | null> {
  if (process.geteuid?.() !== 0) return null
  const user =
    runAs === undefined ? await defaultUser(dataDir, like) : await namedUser(dataDir, runAs)
  const notice =
    runAs === undefined && !like && user.name === 'nobody'
      ? 'PostgreSQL refuses to run as root, so it runs as nobody'
      : null
  return { ...user, closed: await closedAbove(dataDir, user), notice }
}

async function namedUser(dataDir: string, name: string): Promise<KnownUser> {
  const user = await findUser(name)
  if (user === null) {
    throw noServerUser(dataDir, `there is no user "${name}" to run PostgreSQL as`)
  }
  if (user.uid === 0) {
    throw noServerUser(dataDir, 'PostgreSQL refuses to run as root; name another user')
  }
  return user
}

async function defaultUser(dataDir: string, like?: KnownUser | null): Promise<KnownUser> {
  const owner = ownerOf(dataDir)
  if (owner !== null && owner.uid !== 0) {
    return (await findUser(String(owner.uid))) ?? { name: `uid ${owner.uid}`, ...owner }
  }
  if (like) return { name: like.name, uid: like.uid, gid: like.gid }
  for (const name of ['postgres', process.env['SUDO_UID'], 'nobody']) {
    const user = name === undefined ? null : await findUser(name)
    if (user !== null && user.uid !== 0) return user
  }
  throw noServerUser(
    dataDir,
    'PostgreSQL refuses to run as root, and there is neither a user "postgres" nor "nobody"; name one to run it as',
  )
}

/** Whether the user database has a user with this uid. */
export async function isKnown(uid: number): Promise<boolean> {
  return (await findUser(String(uid))) !== null
}

/** The name of the user that a process runs as, or the uid if there is no name; `null` if it is unknown. */
export async function nameOfUserOf(pid: number): Promise<string | null> {
  const process = ownerOf(`/proc/${pid}`)
  if (process === null) return null
  const uid = String(process.uid)
  return (await findUser(uid))?.name ?? uid
}

/** A user by name or number. */
async function findUser(nameOrUid: string): Promise<KnownUser | null> {
  return process.platform === 'darwin' ? await macUser(nameOrUid) : await listedUser(nameOrUid)
}

/** From the local user database, or else from whatever else the system asks. */
async function listedUser(nameOrUid: string): Promise<KnownUser | null> {
  const find = (lines: string): KnownUser | undefined =>
    lines
      .split('\n')
      .flatMap((line) => userOf(line) ?? [])
      .find(({ name, uid }) => name === nameOrUid || String(uid) === nameOrUid)
  return find(localUsers()) ?? find(await output('getent', ['passwd', nameOrUid])) ?? null
}

/**
 * Users of a Mac are in a directory service, which id(1) asks for a name, an alias or a number. `/etc/passwd` has but a few of them.
 *
 * With `-P` it prints a line as of passwd(5). `postgres` is an alias there, of `_postgres`.
 */
async function macUser(nameOrUid: string): Promise<KnownUser | null> {
  return userOf((await output('/usr/bin/id', ['-P', nameOrUid])).trim())
}

function localUsers(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8')
  } catch {
    return ''
  }
}

async function output(program: string, args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(program, args).catch(() => ({ stdout: '' }))).stdout
}

/** From a line of passwd(5). `nobody` of a Mac is -2, which stat(2) and chown(2) call 4294967294. */
function userOf(line: string): KnownUser | null {
  const [name, , uid, gid] = line.split(':')
  if (name === undefined || uid === undefined || gid === undefined) return null
  return { name, uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }
}
