import { rm } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, join } from 'node:path'
import { noServerUser } from '../errors.ts'
import { writeOwnFile } from '../files/own-file.ts'
import type { ServerUser } from './server-user.ts'
import { isKnown } from './choose-server-user.ts'

/** A name that is lent to a user without one, while a program runs. */
interface LentName extends AsyncDisposable {
  /** The variables that make a program see the name, if nss_wrapper is installed. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * Lends a name to the user that a program of PostgreSQL runs as, if the user database has no name for it, as with `docker run
 * --user 12345`.
 *
 * `initdb` and single-user mode need a name; a server does not (measured with 10 to 18). nss_wrapper is a library that is
 * loaded into a program and answers in place of the user database. If it is not installed, the program runs without it. If
 * the caller already runs with it, that one is used. The names are written to `directory`, which the program reaches as
 * `argument`.
 */
export async function lendName(
  { path: directory, argument }: { path: string; argument: string },
  user: ServerUser | null,
): Promise<LentName> {
  const theirs = callersWrapper(user)
  if (theirs !== null) return { env: theirs, [Symbol.asyncDispose]: async () => undefined }
  if (await hasName(user)) return { env: {}, [Symbol.asyncDispose]: async () => undefined }
  const { uid, gid } = idOf(user)
  const [users, groups] = [join(directory, 'howdah.passwd'), join(directory, 'howdah.group')]
  // passwd(5), group(5).
  await writeOwnFile(users, `howdah:x:${uid}:${gid}::/:/bin/sh\n`, user)
  await writeOwnFile(groups, `howdah:x:${gid}:\n`, user)
  return {
    env: {
      LD_PRELOAD: 'libnss_wrapper.so',
      NSS_WRAPPER_PASSWD: `${argument}/${basename(users)}`,
      NSS_WRAPPER_GROUP: `${argument}/${basename(groups)}`,
    },
    async [Symbol.asyncDispose]() {
      for (const path of [users, groups]) await rm(path, { force: true })
    },
  }
}

async function hasName(user: ServerUser | null): Promise<boolean> {
  if (user !== null) return await isKnown(user.uid)
  try {
    userInfo()
    return true
  } catch {
    return false
  }
}

/** The variables of the nss_wrapper that the caller runs with. */
function callersWrapper(user: ServerUser | null): Record<string, string> | null {
  const { LD_PRELOAD = '', NSS_WRAPPER_PASSWD, NSS_WRAPPER_GROUP } = process.env
  const library = LD_PRELOAD.split(/[ :]+/).find((path) => /(^|\/)libnss_wrapper\.so/.test(path))
  if (user !== null || library === undefined) return null
  return {
    LD_PRELOAD: library,
    ...(NSS_WRAPPER_PASSWD !== undefined && { NSS_WRAPPER_PASSWD }),
    ...(NSS_WRAPPER_GROUP !== undefined && { NSS_WRAPPER_GROUP }),
  }
}

/** Throws `ERR_CLUSTER_SERVER_USER` if the output of a program says that its user has no name. */
export function refuseNameless(dataDir: string, words: string, user: ServerUser | null): void {
  if (!words.includes('could not look up effective user ID')) return
  const { uid, gid } = idOf(user)
  throw noServerUser(
    dataDir,
    `PostgreSQL makes a cluster only as a user who has a name, and the user database has none for uid ${uid}; ` +
      'install nss_wrapper (Debian: libnss-wrapper), which howdah then uses, or let root give the user a name: ' +
      `echo 'howdah:x:${uid}:${gid}::/:/bin/sh' >>/etc/passwd`,
  )
}

function idOf(user: ServerUser | null): { uid: number; gid: number } {
  return user ?? { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
}
