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
 * The segments in a directory that no server has any more: no process maps them, and no server that runs means to.
 *
 * A server may keep a segment that no process of it maps just now. It has them all in its control segment, which it maps
 * for as long as it runs (`src/backend/storage/ipc/dsm.c`); a segment whose number occurs anywhere in such a one counts as
 * in use. Only those that belong to this user are looked at; for root, all. That processes of other containers share the
 * directory cannot be seen from here.
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

/** What the processes map that we may look into, proc_pid_maps(5); ours, at least, are among them. */
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

/** The numbers in a control segment; none in any other. */
async function numbersIn(path: string): Promise<Uint32Array> {
  try {
    await using file = await openPlainFile(path)
    const magic = Buffer.alloc(4)
    await file.read(magic, 0, 4, 0)
    // PG_DYNSHMEM_CONTROL_MAGIC.
    if (magic.readUInt32LE() !== 0x9a503d32 && magic.readUInt32BE() !== 0x9a503d32) {
      return new Uint32Array()
    }
    // Of as many slots as a server can have connections for. What is longer is none.
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
