import type { Runtime } from '@howdah/runtime'
import type pg from 'pg'

/** A running server with settings to read and change. */
export interface Administered {
  readonly dataDir: string
  readonly runtime: Runtime
  /** Runs an action on a connection of a superuser. */
  withAdministrator<T>(action: (client: pg.Client) => Promise<T>): Promise<T>
}
