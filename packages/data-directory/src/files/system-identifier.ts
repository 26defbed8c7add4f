import { randomInt } from 'node:crypto'
import { constants } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openControlFile, readControlFile } from './control-file.ts'
import { crc32c, integers } from '@howdah/wal'
import { open } from './open-file.ts'

/** In a WAL segment's first page: flags, one of which says that the header is a long one, and the identifier. */
const wal = { flags: 2, long: 0x0002, identifier: 24, headerSize: 32 }

/**
 * The identifier that tells a cluster and its standbys from every other, as `pg_controldata` and `pg_control_system()`
 * show it.
 *
 * Throws `ERR_CLUSTER_CONTROL_FILE` for a control file that is damaged, or of a version that is not known.
 */
export async function readSystemIdentifier(dataDir: string): Promise<bigint> {
  await using file = await openControlFile(dataDir, constants.O_RDONLY)
  const { content } = await readControlFile(dataDir, file)
  return integers.read(content, 0)
}

/**
 * Makes a stopped cluster one of its own: writes its identifier, by default a new one, into `pg_control` and all WAL
 * segments, and returns it. Of PostgreSQL 10 to 18.
 *
 * A copy that keeps the identifier of its original would be taken for its standby, and its WAL for the original's. Nothing
 * is synced, and a kill in between leaves WAL and control file at odds: only for a copy that nobody takes for a cluster yet.
 * Throws `ERR_CLUSTER_CONTROL_FILE` as {@link readSystemIdentifier} does.
 */
export async function writeSystemIdentifier(
  dataDir: string,
  identifier: bigint = newSystemIdentifier(),
): Promise<bigint> {
  await using file = await openControlFile(dataDir, constants.O_RDWR)
  const { content, checksumOffset } = await readControlFile(dataDir, file)
  const directory = join(dataDir, 'pg_wal')
  const segments = (await readdir(directory)).filter((name) => /^[\dA-F]{24}(\.|$)/.test(name))
  for (const name of segments) await writeToSegment(join(directory, name), identifier)
  integers.write(content, identifier, 0)
  integers.writeHalf(content, crc32c(content.subarray(0, checksumOffset)), checksumOffset)
  await file.write(content, 0, content.length, 0)
  return identifier
}

/**
 * An identifier as initdb makes them: seconds, microseconds, and 12 bits to tell those of the same moment apart. Source:
 * `BootStrapXLOG` in PostgreSQL's `xlog.c`, which takes the bits from the process id.
 */
export function newSystemIdentifier(): bigint {
  const microseconds = Math.floor((performance.timeOrigin + performance.now()) * 1000)
  const seconds = Math.floor(microseconds / 1_000_000)
  return (
    (BigInt(seconds) << 32n) | (BigInt(microseconds % 1_000_000) << 12n) | BigInt(randomInt(0x1000))
  )
}

/** One that PostgreSQL has made in advance is all zeros, and stays so. */
async function writeToSegment(path: string, identifier: bigint): Promise<void> {
  await using file = await open(
    path,
    constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  )
  const header = Buffer.alloc(wal.headerSize)
  const { bytesRead } = await file.read(header, 0, header.length, 0)
  if (bytesRead < header.length || (integers.readShort(header, wal.flags) & wal.long) === 0) return
  const bytes = Buffer.alloc(8)
  integers.write(bytes, identifier, 0)
  await file.write(bytes, 0, bytes.length, wal.identifier)
}
