import { accessSync, constants } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type DataDirectory, open, quote, readVersion } from '@howdah/data-directory'
import type { Check, Complaint } from '../check.ts'
import { ofEach } from '../of-each.ts'

/** Owners and modes with which a server cannot start, or with which others have access. */
export const permissions: Check = {
  name: 'permissions',
  async examine(scene) {
    const state = scene.wholeMachine ? await stateComplaint() : []
    return [...state, ...(await ofEach(scene, complain))]
  },
}

/** Checks the state directory, without which howdah does not recognize its own servers. */
async function stateComplaint(): Promise<Complaint[]> {
  const { stateDirectories, stateDirectory, StoreError } = await import('@howdah/store')
  const own = process.geteuid?.()
  if (stateDirectories().some(({ uid }) => uid === own)) return []
  try {
    // There is none yet, and this makes it, as any use of a cluster would; or it throws because none can be used.
    stateDirectory()
    return []
  } catch (error) {
    const problems = error instanceof StoreError ? error.problems : undefined
    if (problems === undefined) throw error
    return [
      {
        severity: 'error',
        subject: {},
        what: `howdah cannot note down which clusters and servers it has: ${problems.join(', ')}`,
        cure: 'mend that, or set HOWDAH_STATE_DIR to a directory that is yours, with mode 0700',
      },
    ]
  }
}

async function complain(directory: DataDirectory): Promise<Complaint[]> {
  const { path } = directory
  const version = await readVersion(directory)
  if (version === null) return []
  const { uid } = await lstat(path)
  const owner = wrongOwner(path, uid)
  if (owner !== null) return [owner]
  if (isReadOnly(path)) {
    const what = `the file system of ${path} is read-only, so no server can run there`
    return [{ severity: 'error', subject: { path }, what, cure: 'mount it read-write' }]
  }
  // From 11 on, the group may read the directory. See "Creating a Database Cluster" in PostgreSQL's manual.
  const forbidden = version.major >= 11 ? 0o027 : 0o077
  const mode = await wrongMode(path, 0o700, forbidden)
  const password = await wrongMode(directory.passwordFile, 0o600, 0o077)
  return [mode, password, await strangers(path, uid)].filter((one) => one !== null)
}

/** Asks the kernel, which refuses to write to a read-only file system even for root. */
function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS'
  }
}

function wrongOwner(path: string, uid: number): Complaint | null {
  const self = process.geteuid?.() ?? uid
  if (self === 0 ? uid !== 0 : uid === self) return null
  return {
    severity: 'error',
    subject: { path },
    what:
      uid === 0
        ? `${path} belongs to root, and PostgreSQL refuses to run as root`
        : `${path} belongs to another user (uid ${uid}), and PostgreSQL runs only as its owner`,
    cure:
      uid === 0
        ? `give it to another user: chown -R USER ${quote(path)}`
        : 'run as that user, or use a data directory of your own',
  }
}

/** A mode that gives others too many rights, or its owner too few. It is mended by a descriptor, without following links. */
async function wrongMode(
  path: string,
  needed: number,
  forbidden: number,
): Promise<Complaint | null> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (found === null || found.isSymbolicLink()) return null
  const mode = found.mode & 0o777
  const right = (mode | needed) & ~forbidden
  if (mode === right) return null
  const why =
    (mode & forbidden) === 0
      ? 'its owner may not do all that a server has to'
      : 'others may do more than a server allows, which refuses to start'
  const octal = (bits: number) => `0${bits.toString(8)}`
  return {
    severity: 'error',
    subject: { path },
    what: `${path} has mode ${octal(mode)}: ${why}`,
    cure: `chmod ${octal(right)} ${quote(path)}`,
    mend: async () => {
      const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
      await using handle = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      const { dev, ino } = await handle.stat()
      if (dev !== found.dev || ino !== found.ino) return 'it has been replaced meanwhile'
      await handle.chmod(right)
      return null
    },
  }
}

/**
 * Files of other users in the first two levels. They are never mended: if root gave away files in another user's directory,
 * it might give away a file that this user has linked there.
 */
async function strangers(path: string, owner: number): Promise<Complaint | null> {
  const found: string[] = []
  const look = async (directory: string, depth: number): Promise<void> => {
    for (const name of await readdir(directory)) {
      const entry = join(directory, name)
      const stats = await lstat(entry).catch(() => null)
      if (stats === null) continue
      // Files that howdah has written as root are not read by servers.
      if (stats.uid === 0 && directory === path && name.startsWith('howdah.')) continue
      if (stats.uid !== owner) found.push(entry)
      else if (stats.isDirectory() && depth > 1) await look(entry, depth - 1)
    }
  }
  await look(path, 2)
  const [first] = found
  if (first === undefined) return null
  const more = found.length === 1 ? '' : ` and ${found.length - 1} more`
  return {
    severity: 'error',
    subject: { path: first },
    what: `not all that a server has to use in ${path} belongs to its owner (uid ${owner}): ${first}${more}`,
    cure: `as root: chown -Rh ${owner} ${quote(path)}`,
  }
}
