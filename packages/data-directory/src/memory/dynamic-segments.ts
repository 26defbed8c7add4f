import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errno } from '@howdah/durable'
import { openPlainFile } from '@howdah/lock'
import { unknownMemory } from '../errors.ts'
import { mappedFiles, openFiles, type Wanted } from './files-of-processes.ts'

/** A segment of POSIX shared memory that PostgreSQL has made. */
export interface DynamicSegment {
  readonly path: string
  readonly ino: number
  readonly uid: number
  /** In bytes. */
  readonly size: number
}

/**
 * The abandoned segments in a directory: no running server uses them.
 *
 * A server may use a segment that none of its processes maps at the moment. All its segments are listed in its control
 * segment, which it maps for as long as it runs. So a segment counts as in use if its number occurs anywhere in a control
 * segment. A process that makes a segment opens a new file, maps it, closes it, and only then enters its number. The looks
 * have the same order, so that one of them sees the segment (`dsm.c` and `dsm_impl.c` in `src/backend/storage/ipc`).
 *
 * Only segments of this user are looked at, or all segments if this user is root. Processes of other containers that share
 * the directory cannot be seen. Throws `ERR_CLUSTER_UNKNOWN_STATUS` if a server of their owners cannot be looked into.
 */
export async function abandonedSegments(directory: string): Promise<DynamicSegment[]> {
  let rest = await segmentsIn(directory)
  // The first look nearly always sees all of them. It saves the others, which take longer.
  for (const look of [inUse, openFiles, inUse]) {
    if (rest.length === 0) break
    const users = new Set(rest.map(({ uid }) => uid))
    const used = await look({ directory, prefix: `${directory}/PostgreSQL.`, users })
    rest = rest.filter(({ path }) => !used.has(path))
  }
  return rest
}

async function segmentsIn(directory: string): Promise<DynamicSegment[]> {
  const own = process.geteuid?.()
  const names = await readdir(directory).catch(() => [])
  const found = await Promise.all(
    names
      .filter((name) => /^PostgreSQL\.\d{1,10}$/.test(name))
      .map(async (name) => {
        const path = join(directory, name)
        const stats = await stat(path).catch(() => null)
        return stats?.isFile() === true && (own === 0 || own === stats.uid)
          ? { path, ino: stats.ino, uid: stats.uid, size: stats.size }
          : null
      }),
  )
  return found.filter((one) => one !== null)
}

/** The paths of the segments that processes map, or that are listed in a control segment that a process maps. */
async function inUse(wanted: Wanted): Promise<{ has: (path: string) => boolean }> {
  const mapped = await mappedFiles(wanted)
  const numbers = new Set<number>()
  for (const [path, pid] of mapped) {
    for (const number of await numbersIn(path, pid, wanted)) numbers.add(number)
  }
  return { has: (path) => mapped.has(path) || numbers.has(numberOf(path)) }
}

/**
 * The numbers in a control segment; none if the segment is not a control segment. Throws `ERR_CLUSTER_UNKNOWN_STATUS` if a
 * process maps it and it cannot be read.
 */
async function numbersIn(
  path: string,
  pid: number,
  { directory }: Wanted,
): Promise<Uint32Array<ArrayBuffer>> {
  if (path.endsWith(removed)) {
    throw unknownMemory(directory, pid, `uses a file there that was removed, ${path}`)
  }
  try {
    await using file = await openPlainFile(path)
    const magic = Buffer.alloc(4)
    await file.read(magic, 0, 4, 0)
    // PG_DYNSHMEM_CONTROL_MAGIC.
    if (magic.readUInt32LE() !== 0x9a503d32 && magic.readUInt32BE() !== 0x9a503d32) {
      return new Uint32Array()
    }
    // A control segment has slots in proportion to the server's connections, so a longer file is not one.
    if ((await file.stat()).size > 2 ** 26) return new Uint32Array()
    const { buffer, byteOffset, length } = await file.readFile()
    return new Uint32Array(buffer.slice(byteOffset, byteOffset + length - (length % 4)))
  } catch (error) {
    // Its server has ended meanwhile, and has removed its other segments first.
    if (errno(error) === 'ENOENT') return new Uint32Array()
    throw unknownMemory(directory, pid, `uses ${path}, which cannot be read`, error)
  }
}

/** What proc_pid_maps(5) adds to the path of a file that was removed. */
const removed = ' (deleted)'

function numberOf(path: string): number {
  return Number(path.slice(path.lastIndexOf('.') + 1))
}
