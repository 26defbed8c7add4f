import { readRecord, recordNaming, refuseUnseen } from '@howdah/coordinate'
import { identifyProcess, type ProcessIdentity } from '@howdah/lock'
import type { DataDirectory } from '../data-directory.ts'
import { unknownStatus } from '../errors.ts'
import { coordinationPaths } from '../coordination-paths.ts'
import { lookAtPidFile, NamelessPidFile, type PostmasterPid } from '../files/postmaster-pid.ts'
import { isServerOf } from './is-server-of.ts'
import { refuseForeign, refuseUnnamed } from './refuse-unseen.ts'

/** A server that runs on a data directory, whether howdah started it or not. */
export interface Postmaster {
  readonly identity: ProcessIdentity
  readonly file: PostmasterPid
}

/**
 * Finds the server that runs on the data directory; `null` if it is certain that none runs.
 *
 * `postmaster.pid` stays after a crash and is copied with the directory. The pid in it may now belong to another process,
 * even to the server of another directory. So the process must be the one that howdah has recorded for exactly this
 * directory, or it must work in the directory, as every postmaster does.
 *
 * If the answer is unknown, it is never `null`. Throws `ERR_COORDINATE_ELSEWHERE` of `@howdah/coordinate` if a server lives
 * where it cannot be seen, `ERR_CLUSTER_UNKNOWN_STATUS` if it is unknown for another reason, and the errors of
 * `lookAtPidFile`.
 */
export async function findPostmaster(directory: DataDirectory): Promise<Postmaster | null> {
  const found = await lookAtPidFile(directory)
  const paths = coordinationPaths(directory)
  if (found !== null && !(found instanceof NamelessPidFile)) {
    const postmaster = await postmasterOf(directory, found, paths)
    if (postmaster !== null) return postmaster
  }
  await refuseUnseen(paths)
  if (found instanceof NamelessPidFile) await refuseUnnamed(directory, found)
  else if (found !== null && readRecord(paths)?.process.pid !== found.pid) {
    await refuseForeign(directory, found)
  }
  return null
}

/** The server that wrote the file, if it still runs here. */
async function postmasterOf(
  directory: DataDirectory,
  file: PostmasterPid,
  paths: Parameters<typeof recordNaming>[0],
): Promise<Postmaster | null> {
  const identity = identifyProcess(file.pid)
  if (identity === null) return null
  const record = recordNaming(paths, identity)
  if (record !== null)
    return { identity, file: isOlder(file, record.since) ? unwritten(file) : file }
  const isServer = await isServerOf(directory, file)
  if (isServer === null) {
    const isLinux = process.platform === 'linux'
    throw unknownStatus(
      directory.path,
      isLinux
        ? `${directory.pidFile} names process ${file.pid}, a PostgreSQL server, and it may not be seen from here in which directory that one works; ` +
            'run as its owner, or with the capability SYS_PTRACE'
        : `${directory.pidFile} names process ${file.pid}, and neither the kernel nor /bin/ps tells what runs there; ` +
            'run this outside of the sandbox, as the user who owns the directory',
    )
  }
  return isServer ? { identity, file } : null
}

/**
 * Whether the file was written before the launch of the server that has the same pid now, and so by another server.
 *
 * A server may seem to have started up to two seconds before its launch. The file has whole seconds. PostgreSQL reads the
 * time by time(2), and the clock of time(2) lags by up to one tick of the kernel.
 */
function isOlder({ startedAt }: PostmasterPid, launched: Date | null): boolean {
  return launched !== null && launched.getTime() - startedAt.getTime() >= 2000
}

/** The known facts about a server that has not written its file yet. */
function unwritten(file: PostmasterPid): PostmasterPid {
  return {
    ...file,
    status: 'starting',
    port: null,
    socketDirectory: null,
    listenAddress: null,
    sharedMemory: null,
  }
}
