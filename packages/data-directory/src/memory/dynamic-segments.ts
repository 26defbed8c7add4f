import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { openPlainFile } from '@howdah/lock'

/** A segment of POSIX shared memory that PostgreSQL has made. */
export interface DynamicSegment {
  readonly path: string
  readonly ino: number
  readonly uid: number
  /** In bytes. */
  readonly size: number
}

/**
 * The abandoned segments in a directory: no process maps them, and no running server uses them.
 *
 * A server may use a segment that none of its processes maps at the moment. All its segments are listed in its control
 * segment, which it maps for as long as it runs (`src/backend/storage/ipc/dsm.c`). So a segment counts as in use if its
 * number occurs anywhere in a control segment. Only segments of this user are looked at, or all segments if this user is
 * root. Processes of other containers that share the directory cannot be seen.
 */
export async function abandonedSegments(directory: string): Promise<DynamicSegment[]> {
  const segments = await segmentsIn(directory)
  if (segments.length === 0) return []
  const mapped = await mappedFiles(`${directory}/PostgreSQL.`)
  const claimed = new Set<number>()
  for (const path of mapped) {
    for (const number of await numbersIn(path)) claimed.add(number)
  }
  return segments.filter(({ path }) => !mapped.has(path) && !claimed.has(numberOf(path)))
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

/**
 * The files that processes map, proc_pid_maps(5), as far as we may look into the processes; we may look at least into our
 * own.
 */
async function mappedFiles(prefix: string): Promise<Set<string>> {
  const mapped = new Set<string>()
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const maps = await readFile(`/proc/${name}/maps`, 'latin1').catch(() => '')
    for (const line of maps.split('\n')) {
      const from = line.indexOf(prefix)
      if (from !== -1) mapped.add(line.slice(from))
    }
  }
  return mapped
}

/** The numbers in a control segment; none if the segment is not a control segment. */
async function numbersIn(path: string): Promise<Uint32Array> {
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
    const content = await file.readFile()
    return new Uint32Array(content.buffer.slice(0, content.length - (content.length % 4)))
  } catch {
    return new Uint32Array()
  }
}

function numberOf(path: string): number {
  return Number(path.slice(path.lastIndexOf('.') + 1))
}
