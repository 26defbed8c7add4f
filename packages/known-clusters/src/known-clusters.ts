import { lstatSync, readdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { errno } from '@howdah/durable'
import { makeDirectories } from '@howdah/lock'

/** A data directory that a process has used, created or started. */
export interface KnownCluster {
  readonly identity: number
  /** The real path that it had then. */
  readonly dataDir: string
}

/**
 * The data directories that the state of a user knows, so that stopped clusters can be listed, too. They are kept as a
 * directory of links, each named by the identity of its path. A link appears as a whole or not at all.
 */
export class KnownClusters {
  readonly #path: string

  /** `state` is the state directory. */
  constructor(state: string) {
    this.#path = join(state, 'clusters')
  }

  /** Throws errors of the system. */
  add({ identity, dataDir }: KnownCluster): void {
    const link = this.#linkOf(identity)
    // Usually the link exists, and a failed mkdir costs several times as much as a look.
    if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) return
    try {
      symlinkSync(dataDir, link)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') return
      if (code !== 'ENOENT') throw error
      makeDirectories(this.#path, 0o700)
      this.add({ identity, dataDir })
    }
  }

  /** Throws errors of the system. */
  remove(identity: number): void {
    try {
      unlinkSync(this.#linkOf(identity))
    } catch (error) {
      if (errno(error) !== 'ENOENT') throw error
    }
  }

  /** The known clusters. Other files in the directory are ignored. Throws errors of the system. */
  list(): KnownCluster[] {
    let names: string[]
    try {
      names = readdirSync(this.#path)
    } catch (error) {
      if (errno(error) === 'ENOENT') return []
      throw error
    }
    return names.flatMap((name) => {
      const dataDir = /^\d+$/.test(name) ? targetOf(join(this.#path, name)) : null
      return dataDir === null ? [] : { identity: Number(name), dataDir }
    })
  }

  #linkOf(identity: number): string {
    return join(this.#path, String(identity))
  }
}

function targetOf(link: string): string | null {
  try {
    return readlinkSync(link)
  } catch {
    return null
  }
}
