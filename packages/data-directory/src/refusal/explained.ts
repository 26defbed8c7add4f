import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { errno } from '@howdah/durable'
import type { ClusterError } from '../cluster-error.ts'
import { notPermitted } from '../errors.ts'
import { denialIn } from './denial-in.ts'
import { denied, noProc, readOnly, systemLimit } from './errors.ts'

/** The limits of the system, by the code of the error: what is exhausted, and how to get more. */
const limits: Readonly<Record<string, readonly [what: string, cure: string]>> = {
  EMFILE: ['this process may open no more files', 'raise the limit, as with: ulimit -n 1024'],
  ENFILE: [
    'no more files can be opened on this machine',
    'end what has so many open, or raise fs.file-max',
  ],
  EFBIG: [
    'a file would become longer than this process may make it',
    'raise the limit, as with: ulimit -f unlimited',
  ],
  EAGAIN: [
    'no more processes can be started here',
    'end some, or raise the limit: ulimit -u, or that of the container',
  ],
  ENOMEM: [
    'there is no memory for another process',
    'end what takes it, or give the container more',
  ],
}

/** Turns the end of a server's log into an error, if the server failed because of the system. */
export function explainedByLog(dataDir: string, log: string, cause: Error): ClusterError | null {
  // A server needs some sixty descriptors.
  if (log.includes('insufficient file descriptors')) {
    const what = 'a server started here may open too few files'
    return systemLimit(dataDir, 'EMFILE', what, limits['EMFILE']?.[1] ?? '', { cause })
  }
  // This is the message for one of the limits of processes. For another one it says that there is no memory.
  if (/could not fork .* process: Resource temporarily unavailable/.test(log)) {
    const [what = '', cure = ''] = limits['EAGAIN'] ?? []
    return systemLimit(dataDir, 'EAGAIN', what, cure, { cause })
  }
  // System V shared memory; macOS has 32 segments: shmget(2).
  if (/could not create shared memory segment: No space left on device/.test(log)) {
    const what = 'the system gives no further segment of shared memory'
    const cure =
      'remove those of killed servers with "howdah doctor --fix", or by ipcs -m and ipcrm -m ID'
    return systemLimit(dataDir, 'ENOSPC', what, cure, { cause })
  }
  const denial = denialIn(log)
  if (denial !== null) return denied(dataDir, denial, { cause })
  // The loader finds a program, and so its libraries, by /proc/self/exe.
  const isLoader = log.includes('error while loading shared libraries')
  return isLoader && isWithoutProc() ? noProc(dataDir, { cause }) : null
}

function isWithoutProc(): boolean {
  return process.platform === 'linux' && !existsSync('/proc/self')
}

/** How many nested causes are looked at. */
const deepest = 8

/**
 * Runs an action on a cluster. Refusals of the system become errors that say what to do, such as `ERR_CLUSTER_LIMIT` and
 * `ERR_CLUSTER_READ_ONLY`. All other errors are passed on.
 */
export async function explained<T>(dataDir: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw explanationOf(dataDir, error) ?? error
  }
}

function explanationOf(dataDir: string, error: unknown): ClusterError | null {
  let cause = error
  for (let depth = 0; depth < deepest && cause instanceof Error; depth += 1, cause = cause.cause) {
    const { code = '', syscall, path } = cause as NodeJS.ErrnoException
    // A held lock gives EAGAIN, too, but it is only a limit if a process could not be started.
    const limit =
      code === 'EAGAIN' && syscall?.startsWith('spawn') !== true ? undefined : limits[code]
    if (limit !== undefined) return systemLimit(dataDir, code, ...limit, { cause: error })
    if (code === 'ENOENT' && path?.startsWith('/proc/self/') === true && isWithoutProc())
      return noProc(dataDir, { cause: error })
    if (code === 'EPERM' && syscall === 'connect')
      return denied(dataDir, 'to connect to a Unix socket, connect(2)', { cause: error })
    // The output of initdb.
    const denial = denialIn((cause as { output?: string }).output ?? '')
    if (denial !== null) return denied(dataDir, denial, { cause: error })
    if (code === 'EPERM' && syscall === 'kill') {
      const why = `the server on ${dataDir} is another user's, who alone can stop it; run as that user`
      return notPermitted(dataDir, dataDir, why, { cause: error })
    }
    if (code === 'EROFS')
      return readOnly(dataDir, byName(path ?? dataDir, dataDir), { cause: error })
    if (syscall === 'mkdir' && code === 'ENOENT' && path !== undefined && cannotMake(path))
      return readOnly(dataDir, path, { cause: error })
  }
  return null
}

/** Replaces the descriptor in a path by the data directory's name, because people cannot read the former. */
function byName(path: string, dataDir: string): string {
  return path.replace(/^\/(?:proc\/self|dev)\/fd\/\d+(?=\/|$)/, dataDir)
}

/**
 * Whether a directory cannot be made because of a read-only file system, where making it with its parents fails with ENOENT.
 */
function cannotMake(path: string): boolean {
  try {
    accessSync(existingAbove(path), constants.W_OK)
    return false
  } catch (error) {
    return errno(error) === 'EROFS'
  }
}

function existingAbove(path: string): string {
  const parent = dirname(path)
  try {
    accessSync(parent)
    return parent
  } catch {
    return parent === path ? parent : existingAbove(parent)
  }
}
