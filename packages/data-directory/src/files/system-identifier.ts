import { randomInt } from 'node:crypto'
import { constants } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openControlFile, readControlFile, renew } from './control-file.ts'
import { integers } from '@howdah/wal'
import { open } from './open-file.ts'

/** The offsets in the first page of a WAL segment: the flags, one of which marks a long header, and the identifier. */
const wal = { flags: 2, long: 0x0002, identifier: 24, headerSize: 32 }

/**
 * The identifier that a cluster shares only with its standbys, as `pg_controldata` and `pg_control_system()` show it.
 *
 * Throws `ERR_CLUSTER_CONTROL_FILE` if the control file is damaged or has an unknown version.
 */
export async function readSystemIdentifier(dataDir: string): Promise<bigint> {
  await using file = await openControlFile(dataDir, constants.O_RDONLY)
  const { content } = await readControlFile(dataDir, file)
  return integers.read(content, 0)
}

/**
 * Gives a stopped cluster an identifier, by default a new one: writes it into `pg_control` and all WAL segments, and returns
 * it. The cluster also gets a new secret for the salts of roles that do not exist. For PostgreSQL 10 to 18.
 *
 * A copy with the identifier of its original would count as its standby, and its WAL as the original's. Nothing is synced,
 * and a kill in between leaves WAL and control file with different identifiers, so use it only on a copy that does not count
 * as a cluster yet. Throws `ERR_CLUSTER_CONTROL_FILE` as {@link readSystemIdentifier} does.
 */
export async function writeSystemIdentifier(
  dataDir: string,
  identifier: bigint = newSystemIdentifier(),
): Promise<bigint> {
  await using file = await openControlFile(dataDir, constants.O_RDWR)
  const control = await readControlFile(dataDir, file)
  const { content } = control
  const directory = join(dataDir, 'pg_wal')
  const segments = (await readdir(directory)).filter((name) => /^[\dA-F]{24}(\.|$)/.test(name))
  for (const name of segments) await writeToSegment(join(directory, name), identifier)
  integers.write(content, identifier, 0)
  renew(control)
  await file.write(content, 0, content.length, 0)
  return identifier
}

/**
 * Makes an identifier as initdb does: seconds, microseconds, and 12 bits that distinguish identifiers of the same moment.
 * Source:
 * `BootStrapXLOG` in PostgreSQL's `xlog.c`, which takes the bits from the process id.
 */
export function newSystemIdentifier(): bigint {
  const microseconds = Math.floor((performance.timeOrigin + performance.now()) * 1000)
  const seconds = Math.floor(microseconds / 1_000_000)
  return (
    (BigInt(seconds) << 32n) | (BigInt(microseconds % 1_000_000) << 12n) | BigInt(randomInt(0x1000))
  )
}

/** Writes the identifier into a segment. A segment that PostgreSQL has made in advance is all zeros, and stays unchanged. */
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
