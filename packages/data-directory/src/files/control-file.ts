import { randomFillSync } from 'node:crypto'
import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32c, integers } from '@howdah/wal'
import { damagedControlFile } from '../errors.ts'
import { open } from './open-file.ts'

/**
 * The largest size of the content of `pg_control`, in bytes. PostgreSQL keeps to it so that a disk writes the content at
 * once.
 */
const controlSize = 512

/**
 * The possible offsets of the checksum in `pg_control`, which covers the bytes before it: in most versions, in 18, and in 11.
 * Source:
 * `ControlFileData` in PostgreSQL's `catalog/pg_control.h`.
 */
const checksumOffsets = [288, 292, 280]

/**
 * The offset of the secret by which the server invents salts for roles that do not exist, `mock_authentication_nonce` in the
 * same file. In 18 a flag of one byte comes before it, and padding after it.
 */
const nonceOffsets: Readonly<Record<number, number>> = { 280: 248, 288: 256, 292: 257 }
const nonceLength = 32

/** The offset of the server's state, and the value for "shut down": `DB_SHUTDOWNED` of `DBState` in the same file. */
const state = { offset: 16, shutDown: 1 }

/** The content of `pg_control`, with a correct checksum. */
export interface ControlFile {
  readonly content: Buffer
  readonly checksumOffset: number
}

/** Gives the content a new secret, and a correct checksum. */
export function renew({ content, checksumOffset }: ControlFile): void {
  randomFillSync(content, nonceOffsets[checksumOffset], nonceLength)
  integers.writeHalf(content, crc32c(content.subarray(0, checksumOffset)), checksumOffset)
}

/** Opens `pg_control`, to be read or changed. */
export async function openControlFile(dataDir: string, flags: number): Promise<FileHandle> {
  return await open(
    join(dataDir, 'global', 'pg_control'),
    flags | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  )
}

/** Reads `pg_control`. Throws `ERR_CLUSTER_CONTROL_FILE` if it is damaged or has an unknown version. */
export async function readControlFile(dataDir: string, file: FileHandle): Promise<ControlFile> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(controlSize), 0, controlSize, 0)
  const content = buffer.subarray(0, bytesRead)
  const checksumOffset = checksumOffsets.find(
    (offset) =>
      content.length >= offset + 4 &&
      integers.readHalf(content, offset) === crc32c(content.subarray(0, offset)),
  )
  if (checksumOffset === undefined) throw damagedControlFile(dataDir)
  return { content, checksumOffset }
}

/**
 * Whether a stopped cluster was shut down in an orderly way. Then its files are complete, and a starting server has nothing
 * to recover. Throws as `readControlFile` does.
 */
export async function wasShutDown(dataDir: string): Promise<boolean> {
  await using file = await openControlFile(dataDir, constants.O_RDONLY)
  const { content } = await readControlFile(dataDir, file)
  return integers.readHalf(content, state.offset) === state.shutDown
}
