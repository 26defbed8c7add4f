import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatLtxFileName } from '@howdah/ltx'
import { ReplicaError } from './errors.ts'

/** Where a replica's files lie below its root. */
export class Layout {
  readonly root: string

  constructor(root: string) {
    if (root === '') throw new ReplicaError('ERR_REPLICA_OPTION', "a replica's path is not empty")
    this.root = resolve(root)
  }

  get ltx(): string {
    return join(this.root, 'ltx')
  }

  /** The directory of a level. Throws `ERR_REPLICA_OPTION` where that is no natural number. */
  ltxLevel(level: number): string {
    if (!Number.isSafeInteger(level) || level < 0) {
      throw new ReplicaError('ERR_REPLICA_OPTION', `the level ${level} is no natural number`)
    }
    return join(this.ltx, `${level}`)
  }

  /** Throws `ERR_REPLICA_OPTION` where the transaction ids are not at least 1 and in order. */
  ltxFile(level: number, minTxid: bigint, maxTxid: bigint): string {
    if (minTxid < 1n || maxTxid < minTxid || maxTxid >= 1n << 64n) {
      throw new ReplicaError(
        'ERR_REPLICA_OPTION',
        `the transaction ids ${minTxid} to ${maxTxid} are not at least 1 and in order`,
      )
    }
    return join(this.ltxLevel(level), formatLtxFileName(minTxid, maxTxid))
  }

  get generations(): string {
    return join(this.root, 'generations')
  }

  /** The directory of a generation of litestream 0.3. Throws `ERR_REPLICA_OPTION` unless it is 16 hex digits. */
  generation(generation: string): string {
    if (!isGeneration(generation)) {
      throw new ReplicaError(
        'ERR_REPLICA_OPTION',
        `${JSON.stringify(generation)} is no generation: it takes exactly 16 lower-case hex digits`,
      )
    }
    return join(this.generations, generation)
  }

  snapshots(generation: string): string {
    return join(this.generation(generation), 'snapshots')
  }

  wal(generation: string): string {
    return join(this.generation(generation), 'wal')
  }
}

/** Whether a directory's name is that of a generation. */
export function isGeneration(name: string): boolean {
  return /^[0-9a-f]{16}$/.test(name)
}

/** The level that a directory's name says in plain decimal, or `null`. */
export function parseLevel(name: string): number | null {
  return /^(?:0|[1-9][0-9]{0,14})$/.test(name) ? Number(name) : null
}

/** The path that a `file://` URL says. Throws `ERR_REPLICA_OPTION` for any other. */
export function pathOfUrl(url: string | URL): string {
  const text = String(url)
  const refuse = (why: string, cause?: unknown): ReplicaError =>
    new ReplicaError(
      'ERR_REPLICA_OPTION',
      `${text} is no URL of a replica on disk: ${why}; give file:///path/to/replica`,
      { cause },
    )
  if (!/^file:\/\//i.test(text)) throw refuse('it does not start with file://')
  if (!/^file:\/\/[^/?#]*\//i.test(text)) throw refuse('it has no path')
  let path
  let parsed
  try {
    parsed = new URL(text)
    path = fileURLToPath(parsed)
  } catch (cause) {
    throw refuse('it names a host, or is malformed', cause)
  }
  if (parsed.search !== '' || parsed.hash !== '') throw refuse('write ? as %3F and # as %23')
  return path
}
