import type { Runtime } from '@howdah/runtime'
import type pg from 'pg'

/** A running server whose settings are read and changed. */
export interface Administered {
  readonly dataDir: string
  readonly runtime: Runtime
  /** Does something on a connection of a superuser. */
  withAdministrator<T>(action: (client: pg.Client) => Promise<T>): Promise<T>
}
