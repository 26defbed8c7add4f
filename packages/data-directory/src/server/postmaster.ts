import { readRecord, refuseUnseen } from '@howdah/coordinate'
import { identifyProcess, isSameProcess, type ProcessIdentity } from '@howdah/lock'
import type { DataDirectory } from '../data-directory.ts'
import { unknownStatus } from '../errors.ts'
import { placeOf } from '../place.ts'
import { lookAtPidFile, NamelessPidFile, type PostmasterPid } from '../files/postmaster-pid.ts'
import { isServerOf } from './is-server-of.ts'
import { refuseForeign, refuseUnnamed } from './refuse-unseen.ts'

/** A server that runs on a data directory, whether howdah started it or not. */
export interface Postmaster {
  readonly identity: ProcessIdentity
  readonly file: PostmasterPid
}

/**
 * The server that runs on the data directory, or `null` if none can run.
 *
 * `postmaster.pid` outlives a crash, and the pid in it may by now be another process's, also that of a server of another
 * directory; it also comes along with a copy. So the process must be the one that howdah has recorded for this very
 * directory, or work in it as every postmaster does.
 *
 * What cannot be known is never "none". Throws `ERR_COORDINATE_ELSEWHERE` of `@howdah/coordinate` for a server that lives where it
 * cannot be seen, `ERR_CLUSTER_UNKNOWN_STATUS` for what cannot be told otherwise, and what {@link lookAtPidFile} throws.
 */
export async function findPostmaster(directory: DataDirectory): Promise<Postmaster | null> {
  const found = await lookAtPidFile(directory)
  const place = placeOf(directory, null, false)
  if (found !== null && !(found instanceof NamelessPidFile)) {
    const postmaster = await postmasterOf(directory, found, place)
    if (postmaster !== null) return postmaster
  }
  await refuseUnseen(place)
  if (found instanceof NamelessPidFile) await refuseUnnamed(directory, found)
  else if (found !== null && readRecord(place)?.process.pid !== found.pid) {
    await refuseForeign(directory, found)
  }
  return null
}

/** The server that wrote the file, if it still runs here. */
async function postmasterOf(
  directory: DataDirectory,
  file: PostmasterPid,
  place: Parameters<typeof readRecord>[0],
): Promise<Postmaster | null> {
  const identity = identifyProcess(file.pid)
  if (identity === null) return null
  const record = readRecord(place)
  const recorded = record?.process
  if (recorded !== undefined && isSameProcess(recorded, identity)) {
    return { identity, file: isOlder(file, record?.since ?? null) ? unwritten(file) : file }
  }
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

/** Whether it was written before the server was launched that has the same pid now: by another one, in whole seconds. */
function isOlder(file: PostmasterPid, launched: Date | null): boolean {
  return (
    launched !== null && file.startedAt.getTime() < Math.floor(launched.getTime() / 1000) * 1000
  )
}

/** What is known of a server that has not written its file yet. */
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
