import { readPlainFile } from '@howdah/lock'
import {
  chooseServerUser,
  type DataDirectory,
  readMark,
  serverWorkingIn,
  shellWord,
  writeOwnFile,
} from '@howdah/data-directory'
import { endPostmaster } from '@howdah/cluster/inside'
import { Alone, busy, isWatched } from '../alone.ts'
import type { Check, Complaint } from '../check.ts'
import { ofEach } from '../of-each.ts'

/** Clusters with a removed `PG_VERSION`. Nobody finds them, and nobody stops a server that runs there. */
export const lostFiles: Check = {
  name: 'lost-files',
  examine: async (scene) => await ofEach(scene, complain),
}

async function complain(directory: DataDirectory): Promise<Complaint[]> {
  const lost = await lookFor(directory)
  if (lost === null) return []
  const { path } = directory
  const { pid, version } = lost
  const runs = pid === null ? '' : ` while its server runs (pid ${pid})`
  const cures = [
    ...(version === null ? [] : [`put it back: cp -p ${path}/base/1/PG_VERSION ${path}/`]),
    ...(pid === null ? [] : [`stop the server: howdah -D ${shellWord(path)} stop --force`]),
  ]
  return [
    {
      severity: 'error',
      subject: { path, ...(pid !== null && { pid }) },
      what: `PG_VERSION of the cluster in ${path} was removed${runs}`,
      cure: cures.join(', or '),
      mend: async () => await mend(directory),
    },
  ]
}

/** A directory that has lost its `PG_VERSION`. */
interface Lost {
  /** The pid of the server that runs there; `null` if none does. */
  readonly pid: number | null
  /** The content of `PG_VERSION`, from a copy in a database; `null` if all copies are gone. */
  readonly version: string | null
}

async function lookFor(directory: DataDirectory): Promise<Lost | null> {
  const { versionFile, wreck, path } = directory
  if (!(await directory.has(path)) || (await directory.has(versionFile))) return null
  if (await directory.has(wreck)) return null
  const server = await serverWorkingIn(directory)
  const version = versionOf(directory)
  if (server === null && (version === null || (await readMark(directory)) === null)) return null
  return { pid: server?.pid ?? null, version }
}

function versionOf(directory: DataDirectory): string | null {
  try {
    const text = readPlainFile(directory.file('base', '1', 'PG_VERSION'), { limit: 64 })
    return /^[1-9]\d\n$/.test(text) ? text : null
  } catch {
    return null
  }
}

/**
 * Puts the file back. If its copies are also gone, there is no cluster any more, and its server is ended.
 *
 * While a watchdog runs there are users, with their use lock on the removed file. They and the users of a new file would not
 * exclude each other, so nothing is mended then.
 */
async function mend(directory: DataDirectory): Promise<string | null> {
  using alone = await Alone.with(directory)
  if (alone === null || (await isWatched(directory))) return busy
  const lost = await lookFor(directory)
  if (lost === null) return null
  if (lost.version !== null) {
    const user = await chooseServerUser(directory.path)
    await writeOwnFile(directory.by(alone.change).versionFile, lost.version, user)
    return null
  }
  const server = await serverWorkingIn(directory)
  if (server !== null) await endPostmaster(directory, server, { timeout: 30_000 })
  return null
}
