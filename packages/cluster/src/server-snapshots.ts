import type { Outcome } from '@howdah/coordinate'
import type {
  Administrator,
  Restored,
  RestoreOptions,
  SaveOptions,
  Snapshot,
  Snapshots,
} from '@howdah/snapshot'

/** A server, with its own database. */
type Owner = Administrator & { readonly database: string }

/**
 * The snapshots of a server's databases, by default of the server's own one. See `Snapshots` of `@howdah/snapshot`, which is
 * loaded when it is used, for the errors of each call.
 */
export class ServerSnapshots {
  readonly #server: Owner

  constructor(server: Owner) {
    this.#server = server
  }

  /**
   * Saves the content of a database under a name, by a copy within the server.
   *
   * @example
   * await db.snapshots.save('before the migration')
   */
  async save(name: string, options: SaveOptions = {}): Promise<Snapshot> {
    return await (await this.#load()).save(name, { database: this.#server.database, ...options })
  }

  /**
   * Replaces the content of a database by a snapshot. The database keeps its owner, settings, rights and comment, and what was
   * in it is saved for `howdah undo`.
   */
  async restore(name: string, options: RestoreOptions = {}): Promise<Restored> {
    return await (await this.#load()).restore(name, { database: this.#server.database, ...options })
  }

  /** The snapshots of all databases, or of one. */
  async list(options: { database?: string | undefined } = {}): Promise<Snapshot[]> {
    return await (await this.#load()).list(options)
  }

  /** Drops a snapshot. `'unmodified'`: there is none. */
  async drop(name: string, options: { database?: string | undefined } = {}): Promise<Outcome> {
    return await (await this.#load()).drop(name, { database: this.#server.database, ...options })
  }

  async #load(): Promise<Snapshots> {
    const { Snapshots } = await import('@howdah/snapshot')
    return new Snapshots(this.#server)
  }
}
