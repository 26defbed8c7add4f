import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32c, integers } from '@howdah/wal'
import { damagedControlFile } from '../errors.ts'
import { open } from './open-file.ts'

/** In bytes: what PostgreSQL keeps in `pg_control` is never longer, so that a disk writes it at once. */
const controlSize = 512

/**
 * Where in `pg_control` the checksum of what comes before it may lie: in most versions, in 18, and in 11. Source:
 * `ControlFileData` in PostgreSQL's `catalog/pg_control.h`.
 */
const checksumOffsets = [288, 292, 280]

/** Where what the server is doing lies, and the value for "shut down": `DB_SHUTDOWNED` of `DBState` in the same file. */
const state = { offset: 16, shutDown: 1 }

/** What is in `pg_control`, with a checksum that was right. */
export interface ControlFile {
  readonly content: Buffer
  readonly checksumOffset: number
}

/** Opens `pg_control`, to be read or changed. */
export async function openControlFile(dataDir: string, flags: number): Promise<FileHandle> {
  return await open(
    join(dataDir, 'global', 'pg_control'),
    flags | constants.O_NOFOLLOW | constants.O_NONBLOCK,
  )
}

/** Throws `ERR_CLUSTER_CONTROL_FILE` for one that is damaged, or of a version that is not known. */
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
 * Whether a cluster that does not run was shut down in good order: then its files alone are all of it, and a server that
 * starts has nothing to recover. Throws as {@link readControlFile} does.
 */
export async function wasShutDown(dataDir: string): Promise<boolean> {
  await using file = await openControlFile(dataDir, constants.O_RDONLY)
  const { content } = await readControlFile(dataDir, file)
  return integers.readHalf(content, state.offset) === state.shutDown
}
